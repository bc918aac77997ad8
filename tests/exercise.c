/* lunboot-exercise: writes a pattern to a network disk, flushes, reads it back and compares. For
 * the tests in tests/interop: over the same loop as lunboot, at the depth asked for.
 *
 * The pattern depends on the seed and on the place alone, so that a block at a wrong place, a block
 * of an earlier run and a lost write are all seen. */
#include "hosts/linux/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES                                                                                \
    (UINT32_C(192)                                                                                 \
     << 10) /* not a power of two: chunks cross the target's bursts                  \
                           */
#define DEPTH_MAX 64

static struct lb_run run;
static const char *bytes_text = "1M", *offset_text = "0", *depth_text = "8", *seed_text;
static bool with_fua, read_only;
static uint64_t bytes, offset, depth, seed;

static const struct lb_option options[] = {
    {"write-verify", "BYTES", "how much (default: 1M)", NULL, &bytes_text},
    {"offset", "BYTES", "where to begin", NULL, &offset_text},
    {"depth", "COUNT", "requests in flight (default: 8)", NULL, &depth_text},
    {"seed", "NUMBER", "the pattern (default: a new one)", NULL, &seed_text},
    {"fua", NULL, "write through the disk's cache", &with_fua, NULL},
    {"verify-only", NULL, "only read and compare with what an earlier run wrote", &read_only, NULL},
};
static const struct lb_usage usage = {
    .command = "exercise",
    .synopsis = "--rootpath=STRING [--write-verify=BYTES] [--depth=COUNT] [--KEY=VALUE ...]",
    .purpose = "Writes a pattern to a network disk, flushes, reads it back and compares.",
    .options = options,
    .option_count = LB_COUNT(options),
    .takes_keys = true,
};

static struct request {
    struct lb_disk_op op;
    uint8_t *buffer;
} requests[DEPTH_MAX];

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "lunboot-exercise: a mistake in this program: %s:%d: %s\n", file, line, what);
    abort();
}

/* SplitMix64 of seed and place. */
static uint64_t word_at(uint64_t place) {
    uint64_t z = seed + (place + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill(uint8_t *buffer, uint64_t place, size_t len) {
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = word_at(place + i);
        memcpy(buffer + i, &word, 8);
    }
}

static bool compare(const uint8_t *buffer, uint64_t place, size_t len) {
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = word_at(place + i);
        if (memcmp(buffer + i, &word, 8) == 0)
            continue;
        fprintf(stderr, "lunboot-exercise: byte %llu of the disk is wrong (seed %llu)\n",
                (unsigned long long)(place + i), (unsigned long long)seed);
        return false;
    }
    return true;
}

static uint32_t block_bytes(void) {
    return lb_boot_disk(&run.boot)->block_bytes;
}

static void submit(struct request *request, enum lb_disk_kind kind, uint64_t at) {
    uint64_t chunk = LB_MAX(CHUNK_BYTES - CHUNK_BYTES % block_bytes(), block_bytes());
    uint64_t len = LB_MIN(chunk, bytes - at);
    request->op = (struct lb_disk_op){
        .kind = kind,
        .lba = (offset + at) / block_bytes(),
        .blocks = (uint32_t)(len / block_bytes()),
        .force_unit_access = with_fua && kind == LB_DISK_WRITE,
        .buffer = request->buffer,
        .user = (uint64_t)(request - requests),
    };
    if (kind == LB_DISK_WRITE)
        fill(request->buffer, offset + at, (size_t)len);
    else
        memset(request->buffer, 0xa5, (size_t)len);
    lb_boot_submit(&run.boot, lb_now_us(), &request->op);
}

static bool take(const struct lb_disk_op *op) {
    if (!lb_is_ok(&op->error)) {
        lb_fail(&run.error, op->error.code, "%s", op->error.facts);
        return false;
    }
    return op->kind != LB_DISK_READ ||
           compare(op->buffer, op->lba * block_bytes(), (size_t)op->blocks * block_bytes());
}

/* All of the range, in requests of one kind, `depth` at a time. */
static bool pass(enum lb_disk_kind kind) {
    uint64_t at = 0;
    size_t in_flight = 0;
    bool good = true;

    for (size_t i = 0; i < depth && at < bytes; i++, in_flight++) {
        submit(&requests[i], kind, at);
        at += (uint64_t)requests[i].op.blocks * block_bytes();
    }
    while (in_flight > 0) {
        struct lb_disk_op *op;
        enum lb_loop_event event;
        while ((op = lb_boot_completed(&run.boot))) {
            struct request *request = &requests[op->user];
            good = take(op) && good;
            in_flight--;
            if (!good || at >= bytes)
                continue;
            submit(request, kind, at);
            at += (uint64_t)request->op.blocks * block_bytes();
            in_flight++;
        }
        if (in_flight == 0)
            break;
        event = lb_run_step(&run, LB_NEVER);
        if (event != LB_LOOP_WORK && event != LB_LOOP_READY)
            return false;
    }
    return good;
}

static bool exercise(void) {
    struct lb_disk_op flush = {.kind = LB_DISK_FLUSH};
    if (bytes % block_bytes() || offset % block_bytes()) {
        fprintf(stderr, "lunboot-exercise: blocks have %u bytes\n", block_bytes());
        return false;
    }
    if (!read_only && (!pass(LB_DISK_WRITE) || !lb_run_operation(&run, &flush)))
        return false;
    return pass(LB_DISK_READ);
}

static bool is_usable(void) {
    uint8_t random[8];
    if (!lb_parse_bytes(bytes_text, &bytes) || !lb_parse_bytes(offset_text, &offset) ||
        !lb_parse_u64(lb_bytes_of_text(depth_text), DEPTH_MAX, &depth) || depth == 0) {
        fprintf(stderr, "lunboot-exercise: not a number\n");
        return false;
    }
    if (seed_text)
        return lb_parse_u64(lb_bytes_of_text(seed_text), UINT64_MAX, &seed);
    if (getentropy(random, sizeof(random)) == 0)
        memcpy(&seed, random, sizeof(seed));
    return true;
}

int main(int argc, char **argv) {
    bool good = false;

    if (lb_options_parse(&usage, argc, argv, &run.config, NULL) != LB_PARSED || !is_usable())
        return LB_EXIT_USAGE;
    for (size_t i = 0; i < depth; i++)
        requests[i].buffer = aligned_alloc(4096, LB_MAX(CHUNK_BYTES, 65536u));
    lb_run_try_once(&run);
    if (lb_run_open(&run, LB_GOAL_PROBE, false, true) && lb_run_until_ready(&run))
        good = exercise();
    lb_run_stop(&run, false);
    lb_run_print_error(&run);
    lb_run_close(&run, false);
    if (good)
        printf("%llu bytes %s\n", (unsigned long long)bytes,
               read_only ? "read and compared" : "written, flushed, read and compared");
    return good ? LB_EXIT_OK : LB_EXIT_FAILED;
}
