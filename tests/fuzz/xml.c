/* XML of the query protocol. Holds: a DOCTYPE is never taken, an answer that is cut short neither, every text lies
 * within the input's length; any text that is written into an element is read out of it. */
#include "fuzz.h"

#include "aws/xml.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void read_any(const char *text, size_t length) {
    static const char *const paths[] = {"Error/Code", "Code", "Message", "Credentials/AccessKeyId", "", "/", "a/b/"};
    Error err = {0};
    OWN(xml) Xml *xml = xml_read(text, length, &err);
    if (!xml && (err.kind != ERROR_INPUT || !*err.text)) abort();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const char *found = xml_text(xml, paths[i]);
        if (found && strlen(found) > length) abort();
    }
    /* With a declaration that is not allowed there it must be refused, whatever follows. */
    OWN(text) char *declared = text_format("<!DOCTYPE a [<!ENTITY e \"x\">]>%.*s", (int)length, text);
    if (xml_read(declared, strlen(declared), NULL)) abort();
}

/* XML has no place for these, and no way to write them. */
static bool can_be_written(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') return false;
    return utf8_ok(text, length) && !memmem(text, length, "\xef\xbf\xbe", 3) &&
        !memmem(text, length, "\xef\xbf\xbf", 3);
}

static char *written(const char *text, size_t length) {
    Buffer out = BUFFER((size_t)8 * XML_BYTES_MAX);
    buffer_text(&out, "<r><e><Code>");
    for (size_t i = 0; i < length; i++) {
        if (strchr("<>&\"'", text[i]))
            buffer_format(&out, "&#%d;", text[i]);
        else
            buffer_add(&out, text + i, 1);
    }
    buffer_text(&out, "</Code></e></r>");
    return buffer_take(&out);
}

static void write_and_read(const char *text, size_t length) {
    OWN(text) char *document = written(text, length);
    const size_t size = strlen(document);
    OWN(xml) Xml *xml = xml_read(document, size, NULL);
    const char *found = xml_text(xml, "e/Code");
    if (!found || strlen(found) != length || memcmp(found, text, length) != 0) abort();
    if (xml_text(xml, "r/Code") || xml_text(xml, "ode")) abort();
    if (xml_read(document, size - 1 - length % (size - 1), NULL)) abort(); /* cut */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OWN(text) char *text = text_copy_length((const char *)data, size);
    if (size > XML_BYTES_MAX / 16) return 0;
    read_any((const char *)data, size);
    if (can_be_written(text, strlen(text))) write_and_read(text, strlen(text));
    return 0;
}
