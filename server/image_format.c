/* What a file that is to become an image holds, by how it begins. */
#include "server/images.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES (20 * 512) /* of a vmdk's descriptor, as qemu-img reads it */

struct magic {
    const char *begin, *name;
};

/* The name of the one that the file begins with; NULL: none. */
static const char *name_by_begin(int fd, const struct magic *list, size_t count) {
    uint8_t begin[8];
    if (pread(fd, begin, sizeof begin, 0) == sizeof begin)
        for (size_t i = 0; i < count; i++)
            if (memcmp(begin, list[i].begin, strlen(list[i].begin)) == 0)
                return list[i].name;
    return NULL;
}

const char *lb_image_format(int fd) {
    static const struct magic formats[] = {
        {"QFI\xfb", "qcow2"}, {"KDMV", "vmdk"}, {"vhdxfile", "vhdx"}, {"conectix", "vpc"}};
    return name_by_begin(fd, formats, LB_COUNT(formats));
}

const char *lb_image_packer(int fd) {
    static const struct magic packers[] = {{"\x1f\x8b\x08", "gzip"},
                                           {"\3757zXZ", "xz"},
                                           {"BZh", "bzip2"},
                                           {"\x28\xb5\x2f\xfd", "zstd"}};
    return name_by_begin(fd, packers, LB_COUNT(packers));
}

/* ---- what is not in the file itself ---- */

static bool read_at(int fd, struct lb_span room, uint64_t offset) {
    return pread(fd, room.p, room.len, (off_t)offset) == (ssize_t)room.len;
}

/* docs/interop/qcow2.txt of QEMU: the backing file's place, and an incompatible feature. */
static const char *outside_of_qcow2(int fd) {
    enum { VERSION_AT = 4, BACKING_AT = 8, FEATURES_AT = 72, DATA_FILE = 1 << 2 };
    uint8_t head[FEATURES_AT + 8] = {0};
    (void)!pread(fd, head, sizeof head, 0);
    struct lb_rd rd = lb_rd(lb_bytes(head + VERSION_AT, sizeof head - VERSION_AT));
    uint32_t version = lb_rd_u32(&rd);
    uint64_t backing = lb_rd_u64(&rd);
    lb_rd_skip(&rd, FEATURES_AT - BACKING_AT - 8);
    uint64_t features = lb_rd_u64(&rd);
    if (backing != 0)
        return "a backing file";
    return version >= 3 && (features & DATA_FILE) != 0 ? "an external data file" : NULL;
}

/* Virtual Disk Format 5.0: without a capacity the descriptor names the files of the disk; in any
 * case it may name a parent. */
static const char *outside_of_vmdk(int fd) {
    static const char parent[] = "parentFileNameHint";
    enum { CAPACITY_AT = 12, DESCRIPTOR_AT = 28 };
    uint8_t head[DESCRIPTOR_AT + 8];
    uint8_t *text = calloc(1, TEXT_BYTES);
    const char *outside = NULL;
    if (text == NULL || !read_at(fd, lb_span(head, sizeof head), 0)) {
        free(text);
        return "more than can be read";
    }
    struct lb_rd rd = lb_rd(lb_bytes(head + CAPACITY_AT, sizeof head - CAPACITY_AT));
    uint64_t capacity = lb_rd_u64le(&rd);
    lb_rd_skip(&rd, DESCRIPTOR_AT - CAPACITY_AT - 8);
    const uint64_t places[] = {512, lb_rd_u64le(&rd) * 512};
    if (capacity == 0)
        outside = "files of its own";
    for (size_t i = 0; i < LB_COUNT(places) && outside == NULL; i++) {
        ssize_t len = pread(fd, text, TEXT_BYTES, (off_t)places[i]);
        if (len > 0 && memmem(text, (size_t)len, parent, sizeof parent - 1) != NULL)
            outside = "a parent disk";
    }
    free(text);
    return outside;
}

const char *lb_image_outside(int fd) {
    const char *format = lb_image_format(fd);
    if (format == NULL)
        return NULL;
    if (lb_streq(format, "qcow2"))
        return outside_of_qcow2(fd);
    return lb_streq(format, "vmdk") ? outside_of_vmdk(fd) : NULL;
}
