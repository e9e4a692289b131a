#include "aws/xml.h"

#include "base/guard.h"

#include <expat.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct Element {
    size_t parent; /* index + 1; 0: the root */
    char name[XML_NAME_MAX];
    char *text;
    size_t length, room;
} Element;

struct Xml {
    Element *elements;
    size_t count, room;
    size_t open, depth; /* index + 1 of the innermost open element */
    XML_Parser parser;
    const char *problem;
};

static void *guarded_or_abort(void *block) {
    if (!block) abort();
    return block;
}

static void refuse(Xml *xml, const char *problem) {
    if (!xml->problem) xml->problem = problem;
    XML_StopParser(xml->parser, XML_FALSE);
}

static void on_start(void *ctx, const char *name, const char **attributes) {
    (void)attributes;
    Xml *xml = ctx;
    const char *colon = strrchr(name, ':'), *local = colon ? colon + 1 : name;
    if (xml->problem) return;
    if (xml->depth == XML_DEPTH || xml->count == XML_ELEMENTS || strlen(local) >= XML_NAME_MAX) {
        refuse(xml, "it is nested too deep, has too many elements or too long a name");
        return;
    }
    if (xml->count == xml->room) {
        xml->room = xml->room ? xml->room * 2 : 32;
        xml->elements = guarded_or_abort(guard_realloc(xml->elements, xml->room * sizeof *xml->elements));
    }
    Element *element = &xml->elements[xml->count++];
    *element = (Element){.parent = xml->open};
    memcpy(element->name, local, strlen(local) + 1);
    xml->open = xml->count;
    xml->depth++;
}

static void on_end(void *ctx, const char *name) {
    (void)name;
    Xml *xml = ctx;
    if (xml->problem || !xml->open) return;
    xml->open = xml->elements[xml->open - 1].parent;
    xml->depth--;
}

static void on_text(void *ctx, const char *text, int length) {
    Xml *xml = ctx;
    if (xml->problem || !xml->open) return;
    Element *element = &xml->elements[xml->open - 1];
    const size_t wanted = element->length + (size_t)length + 1;
    if (wanted > element->room) {
        element->room = wanted * 2;
        element->text = guarded_or_abort(guard_realloc(element->text, element->room));
    }
    memcpy(element->text + element->length, text, (size_t)length);
    element->length += (size_t)length;
    element->text[element->length] = 0;
}

static void on_doctype(void *ctx, const char *name, const char *system, const char *public, int internal) {
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    refuse(ctx, "it has a DOCTYPE");
}

Xml *xml_free(Xml *xml) {
    if (!xml) return NULL;
    for (size_t i = 0; i < xml->count; i++) guard_free(xml->elements[i].text);
    guard_free(xml->elements);
    free(xml);
    return NULL;
}

Xml *xml_read(const char *text, size_t length, Error *err) {
    static const XML_Memory_Handling_Suite memory = {guard_malloc, guard_realloc, guard_free};
    if (length > XML_BYTES_MAX)
        return error_set(err, ERROR_INPUT, "the XML is longer than %d bytes", XML_BYTES_MAX), NULL;
    OWN(xml) Xml *half = calloc(1, sizeof *half);
    if (!half) abort();
    half->parser = guarded_or_abort(XML_ParserCreate_MM("UTF-8", &memory, NULL));
    XML_SetUserData(half->parser, half);
    XML_SetElementHandler(half->parser, on_start, on_end);
    XML_SetCharacterDataHandler(half->parser, on_text);
    XML_SetStartDoctypeDeclHandler(half->parser, on_doctype);
    const enum XML_Status status = XML_Parse(half->parser, text, (int)length, XML_TRUE);
    const char *why = half->problem ? half->problem : XML_ErrorString(XML_GetErrorCode(half->parser));
    const unsigned long line = (unsigned long)XML_GetCurrentLineNumber(half->parser);
    XML_ParserFree(half->parser);
    if (half->problem || status != XML_STATUS_OK)
        return error_set(err, ERROR_INPUT, "the XML cannot be read: %s (line %lu)", why, line), NULL;
    return GIVE(half);
}

/* Does the path of element `at` end in `path`? */
static bool ends_in(const Xml *xml, size_t at, const char *path) {
    const char *end = path + strlen(path);
    while (at) {
        const Element *element = &xml->elements[at - 1];
        const size_t length = strlen(element->name);
        if ((size_t)(end - path) < length || memcmp(end - length, element->name, length) != 0) return false;
        end -= length;
        if (end == path) return true;
        if (*--end != '/') return false;
        at = element->parent;
    }
    return false;
}

const char *xml_text(const Xml *xml, const char *path) {
    for (size_t i = 1; xml && i <= xml->count; i++)
        if (ends_in(xml, i, path)) return xml->elements[i - 1].text ? xml->elements[i - 1].text : "";
    return NULL;
}
