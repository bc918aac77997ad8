/* Files that are to become images: formats by how they begin, and what they take from elsewhere. */
#include "server/images.h"
#include "tests/tap.h"
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BYTES 65536

/* A file with these bytes at offset, and zeros around them. */
static int file_with(uint64_t offset, struct lb_bytes bytes) {
    int fd = memfd_create("image", MFD_CLOEXEC);
    CHECK(fd >= 0 && ftruncate(fd, FILE_BYTES) == 0);
    CHECK_EQ(pwrite(fd, bytes.p, bytes.len, (off_t)offset), (ssize_t)bytes.len);
    return fd;
}

static void put(int fd, uint64_t offset, struct lb_bytes bytes) {
    CHECK_EQ(pwrite(fd, bytes.p, bytes.len, (off_t)offset), (ssize_t)bytes.len);
}

static void check_outside(int fd, const char *want) {
    const char *outside = lb_image_outside(fd);
    CHECK_STR(outside != NULL ? outside : "nothing", want);
    close(fd);
}

static int qcow2(uint8_t version) {
    int fd = file_with(0, lb_bytes("QFI\xfb\0\0\0", 7));
    put(fd, 7, lb_bytes(&version, 1));
    return fd;
}

static void qcow2_that_is_whole(void) {
    int fd = qcow2(3);
    CHECK_STR(lb_image_format(fd), "qcow2");
    check_outside(fd, "nothing");
}

static void qcow2_over_a_backing_file(void) {
    for (uint64_t at = 8; at < 16; at++) { /* each byte of the place of its name */
        int fd = qcow2(2);
        put(fd, at, lb_bytes("\1", 1));
        check_outside(fd, "a backing file");
    }
}

static void qcow2_with_its_data_elsewhere(void) {
    int fd = qcow2(3);
    put(fd, 79, lb_bytes("\5", 1)); /* dirty, external data file */
    check_outside(fd, "an external data file");
    fd = qcow2(3);
    put(fd, 79, lb_bytes("\3", 1)); /* dirty, corrupt */
    check_outside(fd, "nothing");
    fd = qcow2(2); /* which has no such field */
    put(fd, 79, lb_bytes("\4", 1));
    check_outside(fd, "nothing");
}

static void qcow2_that_is_short(void) {
    int fd = qcow2(3);
    CHECK(ftruncate(fd, 20) == 0);
    check_outside(fd, "nothing");
}

static int vmdk(uint8_t capacity, uint8_t descriptor) {
    int fd = file_with(0, lb_bytes("KDMV\1\0\0\0", 8));
    put(fd, 12, lb_bytes(&capacity, 1));
    put(fd, 28, lb_bytes(&descriptor, 1));
    return fd;
}

static void vmdk_that_is_whole(void) {
    int fd = vmdk(128, 1);
    CHECK_STR(lb_image_format(fd), "vmdk");
    put(fd, 512, lb_bytes_of_text("# Disk DescriptorFile\nRW 128 SPARSE \"disk.vmdk\"\n"));
    check_outside(fd, "nothing");
}

static void vmdk_whose_descriptor_names_files(void) {
    int fd = vmdk(0, 1);
    put(fd, 512, lb_bytes_of_text("RW 128 FLAT \"/etc/shadow\" 0\n"));
    check_outside(fd, "files of its own");
}

static void vmdk_with_a_parent(void) {
    static const char line[] = "parentFileNameHint=\"/etc/shadow\"\n";
    int fd = vmdk(128, 1);
    put(fd, 512 + 20 * 512 - sizeof line, lb_bytes_of_text(line));
    check_outside(fd, "a parent disk");
    fd = vmdk(128, 40); /* where its header says, too */
    put(fd, 40 * 512, lb_bytes_of_text(line));
    check_outside(fd, "a parent disk");
}

static void vmdk_that_is_short(void) {
    int fd = vmdk(128, 1);
    CHECK(ftruncate(fd, 20) == 0);
    check_outside(fd, "more than can be read");
}

static void formats_that_have_no_other_files(void) {
    int fd = file_with(0, lb_bytes_of_text("vhdxfile"));
    CHECK_STR(lb_image_format(fd), "vhdx");
    check_outside(fd, "nothing");
    fd = file_with(0, lb_bytes_of_text("conectix"));
    CHECK_STR(lb_image_format(fd), "vpc");
    check_outside(fd, "nothing");
    fd = file_with(0, lb_bytes_of_text("a raw disk"));
    CHECK(lb_image_format(fd) == NULL && lb_image_packer(fd) == NULL);
    check_outside(fd, "nothing");
    fd = file_with(0, lb_bytes("\x1f\x8b\x08", 3));
    CHECK_STR(lb_image_packer(fd), "gzip");
    close(fd);
}

int main(void) {
    TEST(qcow2_that_is_whole);
    TEST(qcow2_over_a_backing_file);
    TEST(qcow2_with_its_data_elsewhere);
    TEST(qcow2_that_is_short);
    TEST(vmdk_that_is_whole);
    TEST(vmdk_whose_descriptor_names_files);
    TEST(vmdk_with_a_parent);
    TEST(vmdk_that_is_short);
    TEST(formats_that_have_no_other_files);
    return tap_done();
}
