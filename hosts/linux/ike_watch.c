#include "hosts/linux/ike_watch.h"
#include "core/base/text.h"
#include "core/ike/ike.h"
#include "hosts/linux/alone.h"
#include "hosts/linux/ike_names.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* States of TCP, as /proc/net/tcp has them. */
#define TCP_TIME_WAIT 6
#define TCP_CLOSE     7

/* ---- lines of /proc -------------------------------------------------------------------------- */

/* The next word that is not empty. */
static bool next_word(struct lb_bytes *line, struct lb_bytes *word) {
    do
        if (!lb_list_next(line, ' ', word))
            return false;
    while (word->len == 0);
    return true;
}

static bool next_hex(struct lb_bytes *text, char end, uint64_t *number) {
    struct lb_bytes part;
    return lb_list_next(text, end, &part) && lb_parse_hex_u64(part, number);
}

/* "  12: 00000000:01F4 00000000:0000 07 ...": number, local address and port. */
bool lb_ike_watch_is_daemon(struct lb_bytes line) {
    struct lb_bytes word, address;
    uint64_t port;
    return next_word(&line, &word) && next_word(&line, &word) &&
           lb_list_next(&word, ':', &address) && next_hex(&word, ' ', &port) && port == LB_IKE_PORT;
}

/* Each 32 bits of an address are one number, in the machine's own order. */
static bool read_address(struct lb_bytes text, struct lb_addr *addr) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t bytes[16];
    size_t count = text.len / 8;
    if (text.len % 8 != 0 || (count != 1 && count != 4))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        if (!lb_parse_hex_u64(lb_bytes(text.p + i * 8, 8), &number))
            return false;
        uint32_t word = (uint32_t)number;
        memcpy(bytes + i * 4, &word, sizeof(word));
    }
    bool is_v4 = count == 1 || memcmp(bytes, mapped, sizeof(mapped)) == 0;
    *addr = is_v4 ? lb_addr_v4_bytes(count == 1 ? bytes : bytes + 12) : lb_addr_v6_bytes(bytes);
    return true;
}

/* "  12: LOCAL:PORT REMOTE:PORT STATE ..." */
bool lb_ike_watch_is_speaker(struct lb_bytes line, struct lb_endpoint peer) {
    struct lb_bytes word, remote, address;
    struct lb_addr addr;
    uint64_t port, state;
    if (!next_word(&line, &word) || !next_word(&line, &word) || !next_word(&line, &remote) ||
        !next_word(&line, &word) || !lb_parse_hex_u64(word, &state))
        return false;
    return lb_list_next(&remote, ':', &address) && read_address(address, &addr) &&
           next_hex(&remote, ' ', &port) && port == peer.port && lb_addr_equal(addr, peer.addr) &&
           state != TCP_TIME_WAIT && state != TCP_CLOSE;
}

/* Of udp, without a peer, or of tcp. */
static bool has_line(int fd, const struct lb_endpoint *peer_or_null) {
    struct lb_lines lines = {.fd = fd};
    struct lb_bytes line;
    while (fd >= 0 && lb_lines_next(&lines, &line))
        if (peer_or_null != NULL ? lb_ike_watch_is_speaker(line, *peer_or_null)
                                 : lb_ike_watch_is_daemon(line))
            return true;
    return false;
}

bool lb_ike_watch_has_daemon(const struct lb_ike_watch *watch) {
    return has_line(watch->udp_fd, NULL) || has_line(watch->udp6_fd, NULL);
}

/* ---- who speaks to the peer ------------------------------------------------------------------ */

/* A file that cannot be read for another reason than that the session is gone says nothing. */
bool lb_ike_watch_has_session(const struct lb_ike_watch *watch) {
    char text[32];
    ssize_t got = pread(watch->session_fd, text, sizeof(text), 0);
    return got > 0 || (got < 0 && errno != ENODEV && errno != ENOENT);
}

/* Where it is connected to, or is to be connected to again. */
static bool leads_to(const struct lb_ike_watch *watch, const char *connection, const char *name,
                     struct lb_addr peer) {
    char path[300], text[64];
    struct lb_addr addr;
    lb_format(path, sizeof(path), "%s/%s", connection, name);
    int fd = openat(dirfd(watch->connections), path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    return got > 0 && lb_addr_parse(lb_bytes_trim(lb_bytes(text, (size_t)got)), &addr) &&
           lb_addr_equal(addr, peer);
}

/* A session that waits for a login has no socket, but is to have one again. */
static bool has_session_to(const struct lb_ike_watch *watch, struct lb_addr peer) {
    const struct dirent *entry;
    rewinddir(watch->connections);
    while ((entry = readdir(watch->connections)) != NULL)
        if (entry->d_name[0] != '.' &&
            (leads_to(watch, entry->d_name, "persistent_address", peer) ||
             leads_to(watch, entry->d_name, "address", peer)))
            return true;
    return false;
}

bool lb_ike_watch_has_speaker(const struct lb_ike_watch *watch, struct lb_endpoint peer) {
    return has_session_to(watch, peer.addr) || has_line(watch->tcp_fd, &peer) ||
           has_line(watch->tcp6_fd, &peer);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_file(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool lb_ike_watch_open(struct lb_ike_watch *watch, uint32_t sid) {
    char path[64];
    lb_format(path, sizeof(path), "/sys/class/iscsi_session/session%u/state", sid);
    watch->session_fd = open_file(path);
    watch->udp_fd = open_file("/proc/net/udp");
    watch->udp6_fd = open_file("/proc/net/udp6");
    watch->tcp_fd = open_file("/proc/net/tcp");
    watch->tcp6_fd = open_file("/proc/net/tcp6");
    watch->names_fd = lb_ike_names_open();
    watch->connections = opendir("/sys/class/iscsi_connection");
    watch->taken_fd = lb_xfrm_watch();
    return watch->session_fd >= 0 && watch->udp_fd >= 0 && watch->tcp_fd >= 0 &&
           watch->connections != NULL && watch->taken_fd >= 0;
}
