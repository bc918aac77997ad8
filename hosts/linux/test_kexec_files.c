/* What the next initramfs is put together from: parts of files. */
#include "hosts/linux/kexec.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* `from` can only be read. */
static void open_files(int *from, int *to) {
    char path[64];
    int fd = memfd_create("from", MFD_CLOEXEC);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    lb_format(path, sizeof(path), "/proc/self/fd/%d", fd);
    *from = open(path, O_RDONLY | O_CLOEXEC);
    *to = memfd_create("to", MFD_CLOEXEC);
    CHECK(*from >= 0 && *to >= 0);
    close(fd);
}

static off_t length(int fd) {
    struct stat status;
    CHECK_EQ(fstat(fd, &status), 0);
    return status.st_size;
}

static void parts_of_files_follow_one_another_at_multiples_of_four(void) {
    char got[16] = "";
    int from, to;
    open_files(&from, &to);
    CHECK(lb_kexec_pad(to));
    CHECK_EQ(length(to), 0);
    CHECK(lb_kexec_append(to, from, 2, 5));
    CHECK_EQ(length(to), 5);
    CHECK(lb_kexec_pad(to));
    CHECK_EQ(length(to), 8);
    CHECK(lb_kexec_append(to, from, 6, 4));
    CHECK(lb_kexec_append(to, from, 6, 0));
    CHECK(lb_kexec_pad(to));
    CHECK_EQ(length(to), 12);
    CHECK_EQ(pread(to, got, sizeof(got), 0), 12);
    CHECK_BYTES(lb_bytes((const uint8_t *)got, 12),
                lb_bytes((const uint8_t *)"23456\0\0\0006789", 12));
    close(from);
    close(to);
}

static void a_file_that_has_become_shorter_is_an_error(void) {
    int from, to;
    open_files(&from, &to);
    errno = 0;
    CHECK(!lb_kexec_append(to, from, 8, 3));
    CHECK_EQ(errno, EIO);
    CHECK(!lb_kexec_append(-1, from, 0, 1));
    CHECK_EQ(errno, EBADF);
    CHECK(!lb_kexec_pad(-1));
    CHECK(!lb_kexec_pad(from)); /* which cannot be written */
    close(from);
    close(to);
}

/* Whatever the next kernel's own options say of DHCP. */
static void the_next_kernel_keeps_the_address_that_was_proved(void) {
    static const char given[] = "address = 192.0.2.7/24\ngateway = 192.0.2.254\n"
                                "dns = 192.0.2.252\n";
    static struct lb_config config;
    struct lb_error none = {0};
    char conf[512] = "";
    struct lb_text text = lb_text(conf, sizeof(conf));
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, lb_bytes_of_text(given), &none));
    lb_kexec_conf(&text, &config, false);
    CHECK_STR(conf, ""); /* what a person configured is on the command line */
    config.table.is_address_kept = true;
    lb_kexec_conf(&text, &config, false);
    CHECK_STR(conf, given);
}

int main(void) {
    TEST(parts_of_files_follow_one_another_at_multiples_of_four);
    TEST(a_file_that_has_become_shorter_is_an_error);
    TEST(the_next_kernel_keeps_the_address_that_was_proved);
    return tap_done();
}
