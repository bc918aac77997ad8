#include "hosts/linux/ike_names.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "hosts/linux/alone.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* "lunboot-ike/k/IDS/LOCAL/REMOTE": k: the kernel has the keys, u: the process; addresses are their
 * bytes in hexadecimal, so that none has two forms. */
#define PREFIX "lunboot-ike/"

/* ---- text ------------------------------------------------------------------------------------ */

static struct lb_bytes addr_bytes(const struct lb_addr *addr) {
    return lb_bytes(addr->bytes, addr->family == LB_V6 ? 16 : 4);
}

static void write_name(const struct lb_ike_name *name, char room[LB_IKE_NAME_MAX]) {
    struct lb_text text = lb_text(room, LB_IKE_NAME_MAX);
    lb_text_add(&text, PREFIX "%c/%08x/", name->in_kernel ? 'k' : 'u', (unsigned)name->ids);
    lb_text_hex(&text, addr_bytes(&name->local));
    lb_text_add(&text, "/");
    lb_text_hex(&text, addr_bytes(&name->remote));
    lb_assert(!text.cut);
}

static bool read_addr(struct lb_bytes text, struct lb_addr *addr) {
    uint8_t bytes[16];
    size_t len;
    if (!lb_parse_hex_bytes(text, lb_span(bytes, sizeof(bytes)), &len) || (len != 4 && len != 16))
        return false;
    *addr = len == 4 ? lb_addr_v4_bytes(bytes) : lb_addr_v6_bytes(bytes);
    return true;
}

static bool read_name(struct lb_bytes text, struct lb_ike_name *name) {
    struct lb_bytes kind, ids, local, remote;
    uint64_t number;
    if (!lb_bytes_start_with(text, lb_bytes_of_text(PREFIX)))
        return false;
    text = lb_bytes_after(text, sizeof(PREFIX) - 1);
    if (!lb_list_next(&text, '/', &kind) || !lb_list_next(&text, '/', &ids) ||
        !lb_list_next(&text, '/', &local) || !lb_list_next(&text, '/', &remote) || text.len > 0)
        return false;
    if (kind.len != 1 || (kind.p[0] != 'k' && kind.p[0] != 'u') || ids.len != 8 ||
        !lb_parse_hex_u64(ids, &number))
        return false;
    name->in_kernel = kind.p[0] == 'k';
    name->ids = (uint32_t)number;
    return read_addr(local, &name->local) && read_addr(remote, &name->remote);
}

bool lb_ike_names_read(struct lb_bytes line, struct lb_ike_name *name, char text[LB_IKE_NAME_MAX]) {
    const uint8_t *at = line.len == 0 ? NULL : memchr(line.p, '@', line.len);
    if (at == NULL)
        return false;
    struct lb_bytes rest = lb_bytes_after(line, (size_t)(at - line.p) + 1);
    if (!read_name(rest, name))
        return false;
    write_name(name, text); /* it has no other form */
    return lb_bytes_equal(rest, lb_bytes_of_text(text));
}

uint32_t lb_ike_names_ids(const char *id, const char *peer_id) {
    const char *first = id ? id : "", *second = peer_id ? peer_id : "";
    uint32_t crc = lb_crc32c(0, (const uint8_t *)first, strlen(first) + 1);
    return lb_crc32c(crc, (const uint8_t *)second, strlen(second) + 1);
}

/* ---- sockets --------------------------------------------------------------------------------- */

/* Of the abstract namespace: a zero, and the text without one. */
static socklen_t address_of(const char *text, struct sockaddr_un *address) {
    size_t len = strlen(text);
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, text, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

int lb_ike_names_take(const struct lb_ike_name *name) {
    struct sockaddr_un address;
    char text[LB_IKE_NAME_MAX];
    write_name(name, text);
    socklen_t len = address_of(text, &address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, SOMAXCONN) == 0))
        return fd;
    int refused = errno;
    close(fd);
    errno = refused;
    return -1;
}

/* Anybody may have any name. Where nobody can tell whose it is, it counts. */
static bool is_trusted(const char *text) {
    struct sockaddr_un address;
    struct ucred who;
    socklen_t who_len = sizeof(who), len = address_of(text, &address);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_ours = fd < 0 || connect(fd, (struct sockaddr *)&address, len) < 0 ||
                   getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &who_len) < 0 ||
                   who.uid == geteuid();
    if (fd >= 0)
        close(fd);
    return is_ours;
}

/* ---- the list -------------------------------------------------------------------------------- */

int lb_ike_names_open(void) {
    return open("/proc/net/unix", O_RDONLY | O_CLOEXEC);
}

static bool has_same_ends(const struct lb_ike_name *a, const struct lb_ike_name *b) {
    return lb_addr_equal(a->local, b->local) && lb_addr_equal(a->remote, b->remote);
}

/* The next one that is of our own user. */
static bool next_name(struct lb_lines *lines, struct lb_ike_name *name) {
    struct lb_bytes line;
    char text[LB_IKE_NAME_MAX];
    while (lb_lines_next(lines, &line))
        if (lb_ike_names_read(line, name, text) && is_trusted(text))
            return true;
    return false;
}

static enum lb_ike_others what_is(const struct lb_ike_name *other, const struct lb_ike_name *name) {
    bool has_ids = other->ids == name->ids;
    if (!has_same_ends(other, name))
        return has_ids ? LB_IKE_OTHERS_SAME_IDS : LB_IKE_OTHERS_ELSEWHERE;
    if (!other->in_kernel)
        return LB_IKE_OTHERS_USER;
    return has_ids ? LB_IKE_OTHERS_KERNEL : LB_IKE_OTHERS_STRANGE;
}

enum lb_ike_others lb_ike_names_look(int list_fd, const struct lb_ike_name *name) {
    struct lb_lines lines = {.fd = list_fd};
    struct lb_ike_name other;
    enum lb_ike_others most = LB_IKE_OTHERS_NONE;
    while (list_fd >= 0 && next_name(&lines, &other))
        most = LB_MAX(most, what_is(&other, name));
    return most;
}

enum lb_ike_others lb_ike_names_beside(int list_fd, const struct lb_ike_name *name) {
    struct lb_lines lines = {.fd = list_fd};
    struct lb_ike_name other;
    enum lb_ike_others most = LB_IKE_OTHERS_NONE;
    while (list_fd >= 0 && next_name(&lines, &other))
        if (!has_same_ends(&other, name))
            most = LB_MAX(most, what_is(&other, name));
    return most;
}

bool lb_ike_names_in_kernel(void) {
    struct lb_lines lines = {.fd = lb_ike_names_open()};
    struct lb_ike_name other;
    bool is_there = false;
    while (lines.fd >= 0 && !is_there && next_name(&lines, &other))
        is_there = other.in_kernel;
    if (lines.fd >= 0)
        close(lines.fd);
    return is_there;
}
