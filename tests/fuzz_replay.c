/* Runs a fuzz target without libFuzzer, as a TAP test: every file of its corpus as it is, every
 * truncation of it, and a few thousand mutations that are the same in every run. A slow target, one
 * with cryptography, runs the first of them, for LUNBOOT_FUZZ_S seconds each (MOST_S).
 *
 *     fuzz_x_wire NAME CORPUS_FOLDER [FILE...]      with files: only these, to look into a crash
 *
 * Each input lies at the end of a block of its own size, so that ASan sees a read behind it. */
#include "tests/fuzz.h"
#include "tests/tap.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    MUTATIONS = 4000,
    TRUNCATIONS_MAX = 2048, /* of one file; longer ones are cut at the first so many bytes */
    FILES_MAX = 4096,
    INPUT_MAX = 1 << 20,
    MOST_S = 4,
};

static struct {
    const char *name;
    struct lb_bytes inputs[FILES_MAX];
    size_t count;
} corpus;

static void run_one(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    lb_assert(copy);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void add_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        printf("Bail out! cannot read %s\n", path);
        exit(2);
    }
    uint8_t *data = malloc(INPUT_MAX);
    lb_assert(data && corpus.count < FILES_MAX);
    size_t size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    corpus.inputs[corpus.count++] = lb_bytes(data, size);
}

static int by_name(const void *a, const void *b) {
    const char *const *left = a;
    const char *const *right = b;
    struct lb_bytes x = lb_bytes_of_text(*left), y = lb_bytes_of_text(*right);
    int order = memcmp(x.p, y.p, LB_MIN(x.len, y.len));
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

/* In the order of names: what a mutation is made of must not depend on the file system. */
static void add_folder(const char *path) {
    static char *names[FILES_MAX];
    size_t count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char full[4096];
        snprintf(full, sizeof(full), "%s/%s", path, entry->d_name);
        size_t len = lb_bytes_of_text(full).len + 1;
        lb_assert(count < FILES_MAX && (names[count] = malloc(len)));
        memcpy(names[count++], full, len);
    }
    if (folder)
        closedir(folder);
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        add_file(names[i]);
        free(names[i]);
    }
}

static void the_corpus_runs_clean(void) {
    for (size_t i = 0; i < corpus.count; i++)
        run_one(corpus.inputs[i].p, corpus.inputs[i].len);
    tap_note("%s: %zu files", corpus.name, corpus.count);
    CHECK(corpus.count > 0);
}

static double cpu_s(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}

static double most_s(void) {
    const char *given = getenv("LUNBOOT_FUZZ_S");
    return given ? atof(given) : MOST_S;
}

static void every_truncation_of_the_corpus_runs_clean(void) {
    size_t runs = 0;
    double until_s = cpu_s() + most_s();
    for (size_t i = 0; i < corpus.count && cpu_s() < until_s; i++) {
        for (size_t len = 0; len < corpus.inputs[i].len && len < TRUNCATIONS_MAX; len++, runs++)
            run_one(corpus.inputs[i].p, len);
    }
    tap_note("%s: %zu truncations", corpus.name, runs);
    CHECK(corpus.count > 0);
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n) {
    return n ? (size_t)(next_random(state) % n) : 0;
}

/* Changes a few bytes in place: a bit, a byte, an edge value, a copy of another place. */
static void change(uint8_t *data, size_t size, uint64_t *state) {
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff, ':', '=', ',', '~', 0x0a};
    size_t at = below(state, size), from = below(state, size);
    size_t len = below(state, LB_MIN(size - at, size - from) + 1);
    switch (below(state, 5)) {
    case 0:
        data[at] ^= (uint8_t)(1u << below(state, 8));
        break;
    case 1:
        data[at] = (uint8_t)next_random(state);
        break;
    case 2:
        data[at] = edges[below(state, sizeof(edges))];
        break;
    case 3:
        memmove(data + at, data + from, len);
        break;
    default:
        memset(data + at, edges[below(state, sizeof(edges))], LB_MIN(len, 8));
        break;
    }
}

static void mutate_once(uint64_t *state) {
    static uint8_t data[2 * INPUT_MAX];
    struct lb_bytes a = corpus.inputs[below(state, corpus.count)];
    struct lb_bytes b = corpus.inputs[below(state, corpus.count)];
    size_t head = below(state, 4) ? a.len : below(state, a.len + 1);
    size_t tail = below(state, 8) ? 0 : below(state, b.len + 1);
    memcpy(data, a.p, head);
    memcpy(data + head, b.p + (b.len - tail), tail);
    size_t size = head + tail;
    for (size_t n = size ? 1 + below(state, 6) : 0; n > 0; n--)
        change(data, size, state);
    run_one(data, size);
}

static void mutations_of_the_corpus_run_clean(void) {
    uint64_t state = 1;
    unsigned runs = 0;
    for (double until_s = cpu_s() + most_s();
         runs < MUTATIONS && corpus.count > 0 && cpu_s() < until_s; runs++)
        mutate_once(&state);
    tap_note("%s: %u mutations", corpus.name, runs);
    CHECK(corpus.count > 0);
}

int main(int argc, char **argv) {
    lb_assert(argc >= 3);
    corpus.name = argv[1];
    for (int i = 3; i < argc; i++)
        add_file(argv[i]);
    if (argc == 3)
        add_folder(argv[2]);
    TEST(the_corpus_runs_clean);
    if (argc == 3) {
        TEST(every_truncation_of_the_corpus_runs_clean);
        TEST(mutations_of_the_corpus_run_clean);
    }
    for (size_t i = 0; i < corpus.count; i++)
        free((void *)(uintptr_t)corpus.inputs[i].p);
    return tap_done();
}
