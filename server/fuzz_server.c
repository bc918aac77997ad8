/* What lunbootd reads of what others wrote: the header Range, a client's file name, a key and its
 * value, lunbootd.conf, the head of an overlay and its SANITIZE, kept reservations, a request of
 * lunbootctl, a version's file name, a token and the header that shows one, a file that is to
 * become an image, what asks for an address. The first byte says which. */
#include "core/dhcp4/dhcp4_wire.h"
#include "core/dhcp6/dhcp6_wire.h"
#include "server/boot_file.h"
#include "server/dhcp6.h"
#include "server/files.h"
#include "server/head.h"
#include "server/images.h"
#include "server/kept.h"
#include "server/range.h"
#include "server/request.h"
#include "server/sanitize.h"
#include "server/settings.h"
#include "server/token.h"
#include "tests/fuzz.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void a_range(struct lb_bytes text) {
    struct lb_rd rd = lb_rd(text);
    uint64_t offset, len, bytes = lb_rd_u64(&rd);
    enum lb_server_range_kind kind = lb_server_range_parse(lb_rd_rest(&rd), bytes, &offset, &len);
    lb_assert(offset <= bytes && len <= bytes - offset);
    lb_assert(kind != LB_RANGE_PART || len > 0);
}

static void a_path(struct lb_bytes text) {
    uint8_t room[LB_SERVER_PATH_MAX];
    struct lb_bytes path = lb_server_files_path(text, lb_span(room, sizeof room));
    bool at_start = true;
    for (size_t i = 0; i < path.len; i++) {
        lb_assert(!at_start || (path.p[i] != '.' && path.p[i] != '/'));
        lb_assert(path.p[i] >= ' ' && path.p[i] != '\\');
        at_start = path.p[i] == '/';
    }
    lb_assert(path.len == 0 || !at_start);
}

static void a_key(struct lb_bytes text) {
    struct lb_server_settings settings;
    struct lb_server_error error = {0};
    struct lb_bytes word;
    lb_server_settings_init(&settings);
    if (!lb_list_next(&text, '=', &word))
        return;
    bool is_set = lb_server_settings_set(&settings, word, text, "here", &error);
    lb_assert(is_set == (error.what[0] == '\0'));
    lb_assert(is_set || (error.hint[0] != '\0' && lb_text_is_fit(lb_bytes_of_text(error.what))));
    lb_assert(!lb_addr_is_set(settings.dhcp_range.first) ||
              lb_addr_is_set(settings.dhcp_range.last));
}

static void a_conf(struct lb_bytes text) {
    static struct lb_server_settings settings;
    struct lb_server_error error = {0};
    lb_server_settings_init(&settings);
    bool is_read = lb_server_settings_read(&settings, text, "conf", &error);
    lb_assert(is_read == (error.what[0] == '\0'));
    lb_assert(settings.machine_count <= LB_SERVER_SECTIONS_MAX);
    for (size_t i = 0; i < settings.machine_count; i++)
        lb_assert(settings.machines[i].name[0] != '\0' && settings.machines[i].name[0] != '.');
}

static void a_head(struct lb_bytes text) {
    struct lb_server_head head, again;
    char room[LB_SERVER_HEAD_MAX];
    struct lb_text written = lb_text(room, sizeof room);
    if (!lb_server_head_parse(text, &head))
        return;
    lb_server_head_format(&written, &head);
    lb_assert(!written.cut && lb_server_head_parse(lb_bytes(room, written.len), &again));
    lb_assert(again.generation == head.generation && lb_streq(again.base, head.base));
}

static void a_kept(struct lb_bytes text) {
    static struct lb_server_kept kept, again;
    static char room[LB_SERVER_KEPT_MAX];
    struct lb_text written = lb_text(room, sizeof room);
    if (!lb_server_kept_parse(text, &kept))
        return;
    lb_assert(kept.registration_count > 0 && kept.registration_count <= LB_SERVER_REGISTRATIONS);
    lb_server_kept_format(&written, &kept);
    lb_assert(!written.cut && lb_server_kept_parse(lb_bytes(room, written.len), &again));
    lb_assert(memcmp(&kept, &again, sizeof kept) == 0);
}

static void a_sanitize(struct lb_bytes text) {
    struct lb_sanitize_record record, again;
    char room[LB_SANITIZE_TEXT_MAX];
    struct lb_text written = lb_text(room, sizeof room);
    if (!lb_sanitize_parse(text, &record))
        return;
    lb_assert(record.pattern_len <= sizeof record.pattern && record.pass <= record.passes);
    lb_sanitize_format(&written, &record);
    lb_assert(!written.cut && lb_sanitize_parse(lb_bytes(room, written.len), &again));
    lb_assert(again.done == record.done && again.pattern_len == record.pattern_len);
    lb_assert(memcmp(again.pattern, record.pattern, record.pattern_len) == 0);
}

static void an_image(struct lb_bytes text) {
    struct lb_image image;
    char name[LB_IMAGE_NAME_MAX + 16];
    if (!lb_image_parse(text, &image))
        return;
    lb_format(name, sizeof name, "%s@%u", image.name, image.version);
    lb_assert(image.version > 0 && lb_text_is(text, name));
}

static void a_request(struct lb_bytes line) {
    struct lb_request request;
    struct lb_server_error error = {0};
    bool is_read = lb_request_parse(line, &request, &error);
    lb_assert(is_read == (error.what[0] == '\0'));
    lb_assert(is_read || (error.hint[0] != '\0' && lb_text_is_fit(lb_bytes_of_text(error.what))));
    for (size_t i = 0; is_read && i < request.word_count; i++) {
        struct lb_bytes word = request.words[i];
        lb_assert(word.len > 0 && word.p >= line.p && word.p + word.len <= line.p + line.len);
    }
}

static void a_token(struct lb_bytes text) {
    struct lb_token token = {""};
    struct lb_bytes line;
    (void)lb_split_at(text, '\n', &line, &text);
    bool is_token = lb_token_parse(line, &token);
    lb_assert(is_token == (token.text[0] != '\0'));
    if (!lb_token_opens(&token, text, NULL))
        return;
    lb_assert(is_token && text.len >= strlen(token.text) + 7);
    lb_assert(lb_token_opens(&token, lb_bytes(NULL, 0), token.text));
}

static void a_solicit(struct lb_bytes payload) {
    struct lb_dhcp6_message message;
    struct lb_duid duid = {.len = 0};
    struct lb_rd rd = lb_rd(payload);
    struct lb_addr from = lb_rd_v6(&rd);
    const char *why;
    char room[300];
    struct lb_text text = lb_text(room, sizeof room);
    if (!lb_dhcp6_decode(lb_rd_rest(&rd), &message, &why))
        return;
    struct lb_server_boot_file boot = lb_server_boot_file6(&message);
    lb_assert(boot.file == NULL || boot.requester != LB_REQUESTER_OTHER);
    (void)lb_dhcp6_find_duid(message.options, LB_OPT6_CLIENT_ID, &duid);
    struct lb_server_identity who = lb_server_identity(&duid, from);
    lb_assert(duid.len > 0 || lb_addr_is_link_local(from) || !lb_mac_is_set(who.mac));
    lb_server_boot_file_tell(&text, &boot, "DHCPv6", from, NULL);
    lb_assert(!text.cut && lb_text_is_fit(lb_bytes(text.at, text.len)));
}

static void a_discover(struct lb_bytes payload) {
    struct lb_dhcp4_message message;
    const char *why;
    char room[300];
    struct lb_text text = lb_text(room, sizeof room);
    if (!lb_dhcp4_decode(payload, &message, &why))
        return;
    struct lb_server_boot_file boot = lb_server_boot_file(&message);
    lb_assert(boot.file == NULL || boot.requester == LB_REQUESTER_PXE ||
              boot.requester == LB_REQUESTER_HTTP);
    lb_server_boot_file_tell(&text, &boot, "DHCP", message.header.yiaddr, NULL);
    lb_assert(!text.cut && lb_text_is_fit(lb_bytes(text.at, text.len)));
}

static void a_disk(struct lb_bytes bytes) {
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("disk", MFD_CLOEXEC);
    lb_assert(fd >= 0 && ftruncate(fd, 0) == 0);
    lb_assert(pwrite(fd, bytes.p, bytes.len, 0) == (ssize_t)bytes.len);
    const char *format = lb_image_format(fd), *outside = lb_image_outside(fd);
    lb_assert(outside == NULL || lb_streq(format, "qcow2") || lb_streq(format, "vmdk"));
    lb_assert(format == NULL || lb_image_packer(fd) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct lb_bytes text = lb_bytes(data + 1, size - 1);
    switch (data[0] >= 'c' && data[0] <= 'd' ? data[0] : data[0] % 9) {
    case 'c':
        a_disk(text);
        break;
    case 'd':
        a_discover(text);
        break;
    case 0:
        a_range(text);
        break;
    case 1:
        a_path(text);
        break;
    case 2:
        a_key(text);
        break;
    case 3:
        a_conf(text);
        break;
    case 5:
        a_request(text);
        break;
    case 6:
        an_image(text);
        break;
    case 7:
        a_token(text);
        break;
    case 8:
        a_solicit(text);
        break;
    default:
        a_head(text);
        a_kept(text);
        a_sanitize(text);
        break;
    }
    return 0;
}
