/* What lunbootd decides by itself: requests, images, ranges, paths, who boots what, storage. */
#include "core/dhcp4/dhcp4_wire.h"
#include "server/dhcp.h"
#include "server/head.h"
#include "server/other_dhcp.h"
#include "server/range.h"
#include "server/rate.h"
#include "server/request.h"
#include "server/say.h"
#include "server/serve.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_server_error error;

/* ---- requests of lunbootctl ---- */

static struct lb_request request;

static bool ask_for(const char *line) {
    error = (struct lb_server_error){0};
    request = (struct lb_request){0};
    return lb_request_parse(lb_bytes_of_text(line), &request, &error);
}

static void a_request_is_a_command_and_its_words(void) {
    CHECK(ask_for("text\tlist"));
    CHECK_EQ(request.verb, LB_REQUEST_LIST);
    CHECK(!request.is_json);
    CHECK_EQ(request.word_count, 0);
    CHECK(ask_for("json\tadd\tbert\tmac=02:00:00:00:00:01\tdisk=/a b.img"));
    CHECK_EQ(request.verb, LB_REQUEST_ADD);
    CHECK(request.is_json);
    CHECK_EQ(request.word_count, 3);
    CHECK_BYTES(request.words[0], lb_bytes_of_text("bert"));
    CHECK_BYTES(request.words[2], lb_bytes_of_text("disk=/a b.img"));
}

static void a_wrong_request_is_told(void) {
    static const struct {
        const char *line, *what;
    } cases[] = {
        {"", "the request is not understood"},
        {"xml\tlist", "the request is not understood"},
        {"text", "there is no command \"\""},
        {"text\tdance", "there is no command \"dance\""},
        {"text\timage\tdance", "there is no command \"image dance\""},
        {"text\tlist\tx", "there are too many words after list"},
        {"text\tshow", "something is missing after show"},
        {"text\tshow\t\t", "a word after show is empty or has control characters"},
        {"text\tshow\ta\033b", "a word after show is empty or has control characters"},
        {"text\tadd\tx", "something is missing after add"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!ask_for(cases[i].line));
        CHECK_STR(error.what, cases[i].what);
        CHECK(error.hint[0] != '\0');
    }
}

static void help_has_each_command(void) {
    static char room[4096];
    struct lb_text text = lb_text(room, sizeof room);
    lb_request_help(&text);
    CHECK(!text.cut);
    CHECK_HAS(room, "  list\n");
    CHECK_HAS(room, "  eject MACHINE\n");
}

/* ---- images ---- */

static void a_version_is_a_name_and_a_number(void) {
    static const char *const wrong[] = {
        "",          "debian",    "debian@",           "@1",        "debian@0", "debian@01",
        "debian@1 ", "debian@-1", "debian@4294967296", ".debian@1", "Debian@1", " debian@1",
        "debian @1", "a/b@1",     "debian@1@2"};
    struct lb_image image = {0};
    CHECK(lb_image_parse(lb_bytes_of_text("debian-12.5@42"), &image));
    CHECK_STR(image.name, "debian-12.5");
    CHECK_EQ(image.version, 42);
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        tap_note("%s", wrong[i]);
        CHECK(!lb_image_parse(lb_bytes_of_text(wrong[i]), &image));
    }
}

static void a_path_is_a_version_of_its_state_folder_alone(void) {
    char path[LB_IMAGE_PATH_MAX];
    struct lb_image image = {.name = "debian", .version = 3};
    lb_image_path("/var/lib/lunbootd", &image, path);
    CHECK_STR(path, "/var/lib/lunbootd/images/debian@3");
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", path).version, 3);
    CHECK_EQ(lb_image_of_path("/var/lib/other", path).version, 0);
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", "/srv/debian@3").version, 0);
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", "debian@3").version, 0);
}

/* ---- heads of overlays ---- */

static void a_head_is_read_back_as_it_was_written(void) {
    char room[LB_SERVER_HEAD_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    struct lb_server_head got, head = {.mac = {2, 0, 0, 0, 0, 10},
                                       .base = "/srv/a = b.img",
                                       .base_bytes = 1 << 30,
                                       .base_changed_ns = UINT64_C(1796000000123456789),
                                       .generation = 7,
                                       .is_used = true};
    lb_server_head_format(&text, &head);
    CHECK(lb_server_head_parse(lb_bytes_of_text(room), &got));
    CHECK_STR(got.base, head.base);
    CHECK_BYTES(lb_bytes(got.mac, 6), lb_bytes(head.mac, 6));
    CHECK_EQ(got.base_bytes, head.base_bytes);
    CHECK_EQ(got.base_changed_ns, head.base_changed_ns);
    CHECK_EQ(got.generation, 7);
    CHECK(got.is_used);
    for (size_t len = 0; len + 4 < text.len; len++) /* "end" is its end */
        CHECK(!lb_server_head_parse(lb_bytes(room, len), &got));
}

/* ---- the target's name, and sizes ---- */

static void the_targets_name_is_made_of_the_disks(void) {
    static const struct {
        const char *disk, *name;
    } cases[] = {
        {"/srv/images/Debian 12.img", "iqn.2026-11.org.lunboot:debian-12"},
        {"disk", "iqn.2026-11.org.lunboot:disk"},
        {"/dev/vg0/a.b.raw", "iqn.2026-11.org.lunboot:a.b"},
        {".img", "iqn.2026-11.org.lunboot:.img"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char name[LB_NAME_MAX + 1];
        lb_server_target_name(name, cases[i].disk);
        CHECK_STR(name, cases[i].name);
    }
}

/* ---- ranges of HTTP: the examples of RFC 9110 14.1.2, for 10000 bytes ---- */

static void ranges_of_http_are_read(void) {
    static const struct {
        const char *header;
        enum lb_server_range_kind kind;
        uint64_t offset, len;
    } cases[] = {
        {"bytes=0-499", LB_RANGE_PART, 0, 500},
        {"bytes=500-999", LB_RANGE_PART, 500, 500},
        {"bytes=-500", LB_RANGE_PART, 9500, 500},
        {"bytes=9500-", LB_RANGE_PART, 9500, 500},
        {"bytes=9999-20000", LB_RANGE_PART, 9999, 1},
        {"bytes=-20000", LB_RANGE_PART, 0, 10000},
        {"bytes=10000-", LB_RANGE_OUTSIDE, 0, 10000},
        {"bytes=-0", LB_RANGE_OUTSIDE, 0, 10000},
        {"", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=5-4", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=0-0,-1", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=a-b", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=7", LB_RANGE_WHOLE, 0, 10000},
        {"lines=1-2", LB_RANGE_WHOLE, 0, 10000},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        uint64_t offset, len;
        tap_note("%s", cases[i].header);
        CHECK_EQ(lb_server_range_parse(lb_bytes_of_text(cases[i].header), 10000, &offset, &len),
                 cases[i].kind);
        CHECK_EQ(offset, cases[i].offset);
        CHECK_EQ(len, cases[i].len);
    }
}

static void an_empty_file_has_no_range(void) {
    uint64_t offset, len;
    CHECK_EQ(lb_server_range_parse(lb_bytes_of_text("bytes=0-"), 0, &offset, &len),
             LB_RANGE_OUTSIDE);
    CHECK_EQ(lb_server_range_parse(lb_bytes_of_text("bytes=-5"), 0, &offset, &len),
             LB_RANGE_OUTSIDE);
}

/* ---- names of files ---- */

static void a_clients_name_stays_within_the_folder(void) {
    static const struct {
        const char *name, *path;
    } cases[] = {
        {"lunbootx64.efi", "lunbootx64.efi"},
        {"/boot/kernel", "boot/kernel"},
        {"\\boot\\\\kernel", "boot/kernel"},
        {"../etc/passwd", ""},
        {"boot/../../etc/passwd", ""},
        {"boot\\..\\x", ""},
        {".hidden", ""},
        {"a/.b", ""},
        {"folder/", ""},
        {"/", ""},
        {"a\nb", ""},
        {"a..b", "a..b"},
        {"./boot/./kernel", "boot/kernel"},
        {".\\kernel", "kernel"},
        {"a/.", ""},
        {"./", ""},
        {"./../x", ""},
        {".../x", ""},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        uint8_t room[32];
        struct lb_bytes path =
            lb_server_files_path(lb_bytes_of_text(cases[i].name), lb_span(room, sizeof room));
        CHECK_BYTES(path, lb_bytes_of_text(cases[i].path));
    }
}

static void a_name_that_is_too_long_is_none(void) {
    uint8_t room[4];
    CHECK_EQ(lb_server_files_path(lb_bytes_of_text("abcde"), lb_span(room, 4)).len, 0);
}

static void lunboot_conf_is_made_beside_any_loader(void) {
    struct lb_server_files files;
    struct lb_server_file file;
    const char *why;
    CHECK(lb_server_files_open(&files, "/nowhere/at/all", &error) == false);
    CHECK(lb_server_files_find(&files, lb_bytes_of_text("boot/lunboot.conf"), &file, &why));
    char text[64] = "";
    CHECK(lb_server_file_read(&file, 0, text, (size_t)file.bytes));
    CHECK_HAS(text, "enable = yes\n");
    CHECK(!lb_server_file_read(&file, 1, text, (size_t)file.bytes));
    CHECK(!lb_server_files_find(&files, lb_bytes_of_text("xlunboot.conf"), &file, &why));
    CHECK_STR(why, "there is no such file");
}

/* What is put there later is seen, too. */
static void a_folder_is_looked_into_with_a_thread_and_without(void) {
    char path[] = "/tmp/lunbootd-folder-XXXXXX", name[64];
    if (!CHECK(mkdtemp(path) != NULL))
        return;
    lb_format(name, sizeof name, "%s/lunbootx64.efi", path);
    for (int has_thread = 0; has_thread < 2; has_thread++) {
        struct lb_server_files files;
        struct lb_server_folder folder;
        CHECK(lb_server_files_open(&files, path, &error));
        CHECK(lb_server_folder_open(&folder, &files, has_thread, &error));
        CHECK((folder.watch != NULL) == (has_thread != 0));
        CHECK(!lb_server_folder_has(&folder, "lunbootx64.efi"));
        int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0 && close(fd) == 0);
        CHECK(lb_server_folder_has(&folder, "lunbootx64.efi"));
        CHECK(!lb_server_folder_has(&folder, "undionly.kpxe"));
        CHECK(unlink(name) == 0);
        CHECK(!lb_server_folder_has(&folder, "lunbootx64.efi"));
        lb_server_folder_close(&folder);
        lb_server_folder_close(&folder); /* harmless */
        close(files.folder);
    }
    CHECK(rmdir(path) == 0);
}

/* ---- who boots what ---- */

/* A request with these options. */
static struct lb_server_boot_file boot_file_of(struct lb_wr *list) {
    static uint8_t packet[600];
    static struct lb_dhcp4_message message;
    struct lb_dhcp4_header header = {.op = LB_BOOTREQUEST, .htype = 1, .hlen = 6};
    struct lb_dhcp4_layout layout = {.max_bytes = 548};
    const char *why;
    struct lb_bytes bytes = lb_dhcp4_encode(&header, list, layout, lb_span(packet, sizeof packet));
    CHECK(lb_dhcp4_decode(bytes, &message, &why));
    return lb_server_boot_file(&message);
}

static struct lb_server_boot_file boot_file(const char *vendor_class, int arch,
                                            const char *user_class) {
    static uint8_t memory[600];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
    if (vendor_class)
        lb_dhcp4_put_text(&list, LB_OPT_VENDOR_CLASS, vendor_class);
    if (arch >= 0)
        lb_dhcp4_put_u16(&list, LB_OPT_ARCH, (uint16_t)arch);
    if (user_class)
        lb_dhcp4_put_text(&list, LB_OPT_USER_CLASS, user_class);
    return boot_file_of(&list);
}

/* Option 93 goes before what option 60 says. */
static void an_architecture_is_found_in_the_class_alone(void) {
    CHECK_STR(boot_file("PXEClient:Arch:00007:UNDI:003016", -1, NULL).file, "lunbootx64.efi");
    CHECK_STR(boot_file("HTTPClient:Arch:00019:UNDI:003001", -1, NULL).file, "lunbootaa64.efi");
    CHECK_STR(boot_file("PXEClient:Arch:00000", -1, NULL).file, "undionly.kpxe");
    CHECK_STR(boot_file("PXEClient:Arch:00007:UNDI:003016", 11, NULL).file, "lunbootaa64.efi");
    static const char *const none[] = {
        "PXEClient",        "PXEClient:",           "PXEClient:Arch:",
        "PXEClient:Arch:x", "PXEClient:Arch:65536", "PXEClient:UNDI:00007"};
    for (size_t i = 0; i < LB_COUNT(none); i++) {
        struct lb_server_boot_file boot = boot_file(none[i], -1, NULL);
        CHECK(boot.file == NULL && boot.requester == LB_REQUESTER_PXE);
    }
}

static void firmware_gets_the_loader_of_its_architecture(void) {
    struct lb_server_boot_file boot = boot_file("PXEClient:Arch:00007:UNDI:003000", 7, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_PXE);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK_STR(boot.machine, "UEFI x64");
    CHECK_STR(boot_file("PXEClient", 11, NULL).file, "lunbootaa64.efi");
    CHECK_STR(boot_file("PXEClient", 0, NULL).file, "undionly.kpxe");
    boot = boot_file("HTTPClient:Arch:00016:UNDI:003001", 16, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_HTTP);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK_STR(boot_file("HTTPClient", 19, NULL).file, "lunbootaa64.efi");
}

static void others_get_no_loader(void) {
    CHECK(boot_file("lunboot", 7, NULL).file == NULL);
    CHECK(boot_file(NULL, -1, NULL).file == NULL);
    CHECK(boot_file("PXEClient", -1, NULL).file == NULL);
    CHECK(boot_file("PXEClient", 6, NULL).file == NULL);
    CHECK_EQ(boot_file("MSFT 5.0", -1, NULL).requester, LB_REQUESTER_OTHER);
}

static void ipxe_boots_the_disk_itself(void) {
    CHECK(boot_file("PXEClient", 0, "iPXE").file == NULL);
    CHECK(boot_file("PXEClient", 7, "iPXE").file == NULL);
    CHECK(boot_file("PXEClient", 7, "iPXE").is_ipxe);
    CHECK_STR(boot_file("PXEClient", 7, "Lunboot").file, "lunbootx64.efi");
}

static void a_firmwares_own_initiator_is_known_by_what_it_asks_for(void) {
    static const uint8_t edk2[] = {1, 3, 6, 17}, klibc[] = {1, 3, 6, 12, 15, 17, 26};
    static const struct {
        struct lb_bytes asked;
        uint8_t other; /* an option that it has as well */
        bool is_initiator;
    } rows[] = {
        {{edk2, 4}, 0, true},
        {{edk2, 3}, 0, false},
        {{klibc, 7}, 0, false},
        {{edk2, 4}, LB_OPT_HOSTNAME, false},
        {{edk2, 4}, LB_OPT_VENDOR_CLASS, false},
        {{edk2, 4}, LB_OPT_CLIENT_ID, false},
        {{edk2, 4}, LB_OPT_USER_CLASS, false},
        {{edk2, 4}, LB_OPT_ARCH, false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        uint8_t memory[100];
        struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
        lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
        lb_dhcp4_put_u16(&list, LB_OPT_MAX_SIZE, 1500);
        lb_dhcp4_put(&list, LB_OPT_PARAMETERS, rows[i].asked);
        if (rows[i].other != 0)
            lb_dhcp4_put_u16(&list, rows[i].other, 7);
        struct lb_server_boot_file boot = boot_file_of(&list);
        CHECK_EQ(boot.requester == LB_REQUESTER_INITIATOR, rows[i].is_initiator);
        CHECK(boot.file == NULL);
    }
}

/* ---- another DHCP server ---- */

static struct lb_bytes reply(uint32_t xid, enum lb_dhcp4_type type, struct lb_addr yiaddr,
                             struct lb_span room) {
    static uint8_t memory[64];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREPLY, .htype = 1, .hlen = 6, .xid = xid, .yiaddr = yiaddr};
    struct lb_dhcp4_layout layout = {.max_bytes = LB_DHCP4_BOOTP_BYTES};
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, (uint8_t)type);
    lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, lb_addr_v4(192, 0, 2, 3));
    return lb_dhcp4_encode(&header, &list, layout, room);
}

static void an_offer_of_an_address_tells_of_another_server(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct lb_addr address = lb_addr_v4(192, 0, 2, 9), none = {0}, other = {0};
    struct lb_dhcp4_message message;
    uint8_t room[600];
    const char *why;
    struct lb_bytes question = lb_server_other_dhcp_question(mac, 77, lb_span(room, sizeof room));
    CHECK(lb_dhcp4_decode(question, &message, &why));
    CHECK_EQ(message.type, LB_DHCP4_DISCOVER);
    CHECK_EQ(message.header.xid, 77);
    CHECK(message.header.flags & LB_DHCP4_BROADCAST);
    CHECK(!lb_server_other_dhcp_answer(question, 77, address, &other)); /* our own, heard again */
    struct lb_bytes offer = reply(77, LB_DHCP4_OFFER, address, lb_span(room, sizeof room));
    CHECK(!lb_server_other_dhcp_answer(offer, 78, none, &other));
    CHECK(lb_server_other_dhcp_answer(offer, 77, none, &other));
    CHECK_STR(lb_addr_text(other).s, "192.0.2.3");
    offer = reply(77, LB_DHCP4_OFFER, none, lb_span(room, sizeof room)); /* of a proxy */
    CHECK(!lb_server_other_dhcp_answer(offer, 77, none, &other));
    offer = reply(77, LB_DHCP4_NAK, address, lb_span(room, sizeof room));
    CHECK(!lb_server_other_dhcp_answer(offer, 77, none, &other));
}

/* ---- addresses and frames ---- */

static struct lb_server_range range_of(struct lb_addr address, uint8_t len) {
    struct lb_server_link link = {
        .address = address,
        .network = {.addr = lb_addr_mask(address, len), .len = len},
    };
    return lb_server_link_range(&link, 4096);
}

static void the_default_range_is_the_longer_side_of_the_network(void) {
    struct lb_server_range range = range_of(lb_addr_v4(192, 0, 2, 1), 24);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.2");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.254");
    range = range_of(lb_addr_v4(192, 0, 2, 254), 24);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.1");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.253");
    range = range_of(lb_addr_v4(10, 0, 0, 1), 8);
    CHECK_STR(lb_addr_text(range.first).s, "10.0.0.2");
    CHECK_STR(lb_addr_text(range.last).s, "10.0.16.1");
    range = range_of(lb_addr_v4(192, 0, 2, 1), 30);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.2");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.2");
    CHECK(!lb_addr_is_set(range_of(lb_addr_v4(192, 0, 2, 1), 31).first));
    CHECK(!lb_addr_is_set(range_of(lb_addr_v4(192, 0, 2, 1), 32).first));
}

/* ---- storage ---- */

static void errors_of_the_disk_are_told_as_sense(void) {
    struct lb_target_answer answer = lb_server_target_answer(ENOSPC, true);
    CHECK_EQ(answer.status, LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x72707);
    answer = lb_server_target_answer(EROFS, true);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x72700);
    answer = lb_server_target_answer(EIO, true);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x30c00);
    answer = lb_server_target_answer(EIO, false);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x31100);
    answer = lb_server_target_answer(ENOMEDIUM, false);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x20403);
    CHECK_EQ(lb_server_target_answer(0, true).status, LB_SCSI_GOOD);
}

static void a_disk_that_became_shorter_is_an_error_and_no_crash(void) {
    char path[] = "/tmp/lb-test-disk-XXXXXX";
    int fd = mkstemp(path);
    struct lb_storage storage;
    uint8_t block[512];
    struct lb_storage_ask ask = {.op = LB_STORAGE_READ, .offset = 512, .len = 512, .memory = block};
    CHECK(fd >= 0 && ftruncate(fd, 1500) == 0);
    CHECK(lb_storage_open(&storage, path, false, &error));
    CHECK_EQ(storage.bytes, 1024);
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, 0);
    CHECK(ftruncate(fd, 600) == 0);
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, EIO);
    lb_storage_close(&storage);
    close(fd);
    unlink(path);
}

static void a_folder_of_overlays_takes_files(void) {
    char folder[] = "/tmp/lunbootd-test-XXXXXX", path[64];
    struct lb_storage storage;
    error = (struct lb_server_error){0};
    CHECK(mkdtemp(folder) != NULL);
    lb_format(path, sizeof path, "%s/overlays", folder);
    CHECK(lb_storage_check_folder(path, &error)); /* made */
    CHECK(lb_storage_check_folder(path, &error)); /* and there */
    CHECK(rmdir(path) == 0);                      /* nothing is left in it */
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fwrite("1234567890", 1, 10, file) == 10 && fclose(file) == 0);
    CHECK(!lb_storage_check_folder(path, &error));
    CHECK_HAS(error.what, "Not a directory");
    error = (struct lb_server_error){0};
    CHECK(!lb_storage_open(&storage, path, true, &error));
    CHECK_HAS(error.what, "has less than one block");
    CHECK(truncate(path, 1034) == 0);
    CHECK(lb_storage_open(&storage, path, true, &error));
    CHECK_EQ(storage.bytes, 1024);
    CHECK_EQ(storage.left_out, 10);
    lb_storage_close(&storage);
    CHECK(remove(path) == 0 && rmdir(folder) == 0);
}

static void a_read_only_disk_takes_no_writes(void) {
    char path[] = "/tmp/lb-test-disk-XXXXXX";
    int fd = mkstemp(path);
    struct lb_storage storage, second;
    uint8_t block[512] = {1};
    struct lb_storage_ask ask = {.op = LB_STORAGE_WRITE, .len = 512, .memory = block};
    CHECK(fd >= 0 && ftruncate(fd, 1024) == 0);
    CHECK(lb_storage_open(&storage, path, true, &error));
    CHECK(lb_storage_open(&second, path, true, &error)); /* readers share it */
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, EROFS);
    error = (struct lb_server_error){0};
    lb_storage_close(&second);
    CHECK(!lb_storage_open(&second, path, false, &error)); /* and no writer beside them */
    CHECK_HAS(error.what, "another program is using the disk");
    lb_storage_close(&storage);
    close(fd);
    unlink(path);
}

/* ---- answers by UDP ---- */

static void an_address_gets_so_many_answers_a_second(void) {
    struct lb_rate rate;
    struct lb_addr victim = lb_addr_v4(192, 0, 2, 9);
    unsigned answered = 0, others = 0;
    CHECK(lb_rate_init(&rate));
    for (unsigned i = 0; i < 1000; i++)
        answered += lb_rate_may_answer(&rate, 5 * LB_US_SEC + i * 900, victim);
    CHECK_EQ(answered, LB_RATE_EACH);
    for (uint8_t i = 10; i < 110; i++) /* some of them may count as the victim's */
        others += lb_rate_may_answer(&rate, 5 * LB_US_SEC + 900000, lb_addr_v4(192, 0, 2, i));
    CHECK(others >= 90);
    CHECK(lb_rate_may_answer(&rate, 6 * LB_US_SEC, victim)); /* the next second */
}

int main(void) {
    TEST(a_request_is_a_command_and_its_words);
    TEST(a_wrong_request_is_told);
    TEST(help_has_each_command);
    TEST(a_version_is_a_name_and_a_number);
    TEST(a_path_is_a_version_of_its_state_folder_alone);
    TEST(a_head_is_read_back_as_it_was_written);
    TEST(the_targets_name_is_made_of_the_disks);
    TEST(ranges_of_http_are_read);
    TEST(an_empty_file_has_no_range);
    TEST(a_clients_name_stays_within_the_folder);
    TEST(a_name_that_is_too_long_is_none);
    TEST(lunboot_conf_is_made_beside_any_loader);
    TEST(a_folder_is_looked_into_with_a_thread_and_without);
    TEST(an_architecture_is_found_in_the_class_alone);
    TEST(firmware_gets_the_loader_of_its_architecture);
    TEST(others_get_no_loader);
    TEST(ipxe_boots_the_disk_itself);
    TEST(a_firmwares_own_initiator_is_known_by_what_it_asks_for);
    TEST(an_offer_of_an_address_tells_of_another_server);
    TEST(the_default_range_is_the_longer_side_of_the_network);
    TEST(errors_of_the_disk_are_told_as_sense);
    TEST(a_disk_that_became_shorter_is_an_error_and_no_crash);
    TEST(a_folder_of_overlays_takes_files);
    TEST(a_read_only_disk_takes_no_writes);
    TEST(an_address_gets_so_many_answers_a_second);
    return tap_done();
}
