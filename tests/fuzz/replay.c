/* Runs a target over each file of the folders given: a corpus as a test. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int replay(const char *path) {
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about)) return perror(path), 1;
    const size_t size = (size_t)about.st_size;
    uint8_t *data = malloc(size ? size : 1); /* as long as the input: a sanitizer sees who reads on */
    if (!data || fread(data, 1, size, file) != size) return fprintf(stderr, "%s: cannot be read\n", path), 1;
    fclose(file);
    const int status = LLVMFuzzerTestOneInput(data, size);
    free(data);
    return status;
}

int main(int count, char **folders) {
    int failed = 0;
    size_t files = 0;
    for (int i = 1; i < count; i++) {
        struct dirent **names;
        const int found = scandir(folders[i], &names, NULL, alphasort);
        if (found < 0) return perror(folders[i]), EXIT_FAILURE;
        for (int j = 0; j < found; j++) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", folders[i], names[j]->d_name);
            if (*names[j]->d_name != '.') {
                failed |= replay(path);
                files++;
            }
            free(names[j]);
        }
        free(names);
    }
    printf("%zu inputs\n", files);
    return failed || !files ? EXIT_FAILURE : EXIT_SUCCESS; /* an empty corpus proves nothing */
}
