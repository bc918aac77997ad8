/* What a disk says it can boot, which of it is taken, and what the next kernel is told. */
#include "hosts/linux/bootdisk.h"
#include "hosts/linux/kexec.h"
#include "os/linux/files.h"
#include "tests/tap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_entries entries;
static struct lb_entry entry;

/* ---- type 1 ---------------------------------------------------------------------------------- */

static bool parse(const char *name, const char *text) {
    entry = (struct lb_entry){0};
    static const struct lb_grub_env none;
    return lb_entry_parse(lb_bytes_of_text(text), name, &none, &entry);
}

static void an_entry_has_its_keys(void) {
    CHECK(parse("debian-6.1", "# a comment\n"
                              "title\tDebian GNU/Linux 12\n"
                              "version    6.1.0-56\n\n"
                              "machine-id 6a9857a393724b7a981ebb5b8495b9ea\n"
                              "sort-key debian\n"
                              "options   root=UUID=1234 ro\n"
                              "options quiet\r\n"
                              "linux     /debian/6.1/linux\n"
                              "initrd    /debian/6.1/microcode\n"
                              "initrd    /debian/6.1/initrd\n"
                              "devicetree-overlay /x\n"));
    CHECK_STR(entry.id, "debian-6.1");
    CHECK_STR(entry.title, "Debian GNU/Linux 12");
    CHECK_STR(entry.version, "6.1.0-56");
    CHECK_STR(entry.sort_key, "debian");
    CHECK_STR(entry.machine_id, "6a9857a393724b7a981ebb5b8495b9ea");
    CHECK_STR(entry.kernel, "/debian/6.1/linux");
    CHECK_EQ(entry.initrd_count, 2);
    CHECK_STR(entry.initrds[1], "/debian/6.1/initrd");
    CHECK_STR(entry.options, "root=UUID=1234 ro quiet");
    CHECK(!entry.is_bad);
}

static void variables_of_grub_are_empty(void) {
    CHECK(parse("fedora", "linux /vmlinuz\noptions root=/dev/sda2 $kernelopts $tuned_params ro\n"));
    CHECK_STR(entry.options, "root=/dev/sda2 ro");
}

static void what_is_not_for_this_machine_is_left_out(void) {
    CHECK(!parse("shell", "title EFI shell\nefi /shellx64.efi\n"));
    CHECK(!parse("arm", "linux /vmlinuz\narchitecture ia32\n"));
    CHECK(!parse("empty", ""));
    CHECK(!parse("many", "linux /a\ninitrd /1\ninitrd /2\ninitrd /3\ninitrd /4\ninitrd /5\n"));
    CHECK(!parse("bare", "linux /a\ninitrd\n")); /* it would start without one */
}

static void what_does_not_fit_is_left_out_and_not_cut(void) {
    static char text[8192];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "options ", 8);
    memcpy(text + sizeof(text) - 1 - 9, "\nlinux /a", 9);
    CHECK(!parse("long", text));
    memcpy(text, "linux /  ", 9);
    text[300] = 0;
    memset(text + 7, 'x', 293);
    CHECK(!parse("long-path", text));
}

static void a_name_counts_tries(void) {
    CHECK(parse("fedora+3", "linux /a\n"));
    CHECK_STR(entry.id, "fedora");
    CHECK(!entry.is_bad);
    CHECK(parse("fedora+0-3", "linux /a\n"));
    CHECK(entry.is_bad);
    CHECK(parse("fedora+0", "linux /a\n"));
    CHECK(entry.is_bad);
}

/* ---- order ----------------------------------------------------------------------------------- */

static void versions_are_in_order(void) {
    static const char *const rising[] = {"~rc1",
                                         "",
                                         "a",
                                         "1~rc1",
                                         "1",
                                         "1a",
                                         "1.2",
                                         "1.2.3",
                                         "1.10",
                                         "2",
                                         "6.1.0-9-amd64",
                                         "6.1.0-10-amd64",
                                         "6.1.00-11-amd64",
                                         "6.10"};
    for (size_t i = 0; i < LB_COUNT(rising); i++) {
        for (size_t j = 0; j < LB_COUNT(rising); j++) {
            int order = lb_version_compare(rising[i], rising[j]);
            if (!CHECK(i < j ? order < 0 : i > j ? order > 0 : order == 0))
                tap_note("\"%s\" and \"%s\": %d", rising[i], rising[j], order);
        }
    }
}

static void add(const char *name, const char *text) {
    struct lb_entry *one;
    if (!CHECK(parse(name, text)))
        return;
    one = lb_entries_add(&entries);
    if (CHECK(one != NULL) && one)
        *one = entry;
}

static const char *chosen(const char *wanted) {
    const struct lb_entry *one = lb_entries_choose(&entries, wanted);
    return one ? one->id : "none";
}

static void begin(void) {
    memset(&entries, 0, sizeof(entries));
}

static void the_newest_version_comes_first(void) {
    begin();
    add("debian-6.1.0-9", "sort-key debian\nversion 6.1.0-9\nlinux /a\n");
    add("zzz-without-sort-key", "linux /a\n");
    add("debian-6.1.0-10", "sort-key debian\nversion 6.1.0-10\nlinux /a\n");
    add("debian-6.2+0-3", "sort-key debian\nversion 6.2\nlinux /a\n");
    lb_entries_sort(&entries);
    CHECK_STR(entries.list[0].id, "debian-6.1.0-10");
    CHECK_STR(entries.list[1].id, "debian-6.1.0-9");
    CHECK_STR(entries.list[2].id, "zzz-without-sort-key");
    CHECK_STR(entries.list[3].id, "debian-6.2");
    CHECK_STR(chosen(""), "debian-6.1.0-10");
}

static void the_disks_default_is_taken_and_a_persons_word_before_it(void) {
    begin();
    add("a", "title The first\nlinux /a\n");
    add("b-1", "title Debian\nlinux /a\n");
    add("c", "title Fedora\nlinux /a\n");
    lb_entries_loader_conf(&entries, lb_bytes_of_text("timeout 3\ndefault b-*.conf\n"));
    CHECK_STR(chosen(""), "b-1");
    CHECK_STR(chosen("a"), "a");
    CHECK_STR(chosen("Fedora"), "c");
    CHECK_STR(chosen("?"), "a");
    CHECK_STR(chosen("nothing"), "none");
    lb_entries_loader_conf(&entries, lb_bytes_of_text("default gone.conf\n"));
    CHECK_STR(chosen(""), "a");
    begin();
    CHECK_STR(chosen(""), "none");
}

static void more_entries_than_there_is_room_for_are_counted(void) {
    begin();
    for (unsigned i = 0; i < LB_ENTRIES_MAX; i++)
        CHECK(lb_entries_add(&entries) != NULL);
    CHECK(lb_entries_add(&entries) == NULL);
    CHECK_EQ(entries.dropped, 1);
}

/* ---- grub.cfg -------------------------------------------------------------------------------- */

static const char debian_grub[] =
    "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
    "if [ \"${next_entry}\" ] ; then\n   set default=\"${next_entry}\"\nelse\n   set "
    "default=\"%s\"\nfi\n"
    "function recordfail {\n  set recordfail=1\n}\n"
    "menuentry 'Debian GNU/Linux' --class debian --class os $menuentry_id_option "
    "'gnulinux-simple-12' {\n"
    "\tload_video\n\tif [ x$grub_platform = xxen ]; then insmod xzio; fi\n"
    "\tsearch --no-floppy --fs-uuid --set=root 12\n"
    "\techo\t'Loading Linux 6.1.0-56-amd64 ...'\n"
    "\tlinux\t/boot/vmlinuz-6.1.0-56-amd64 root=UUID=12 ro  quiet \"a=b c\" $vt_handoff\n"
    "\techo\t'Loading initial ramdisk ...'\n"
    "\tinitrd\t/boot/microcode.img /boot/initrd.img-6.1.0-56-amd64\n}\n"
    "submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced-12' "
    "{\n"
    "\tmenuentry 'Debian, with Linux 6.1.0-55' $menuentry_id_option 'gnulinux-6.1.0-55' {\n"
    "\t\tlinux\t(hd0,gpt2)/boot/vmlinuz-6.1.0-55 root=UUID=12 ro\n"
    "\t\tinitrd\t/boot/initrd.img-6.1.0-55\n\t}\n"
    "\tmenuentry 'recovery' --id rescue {\n\t\tlinux16 /boot/vmlinuz-6.1.0-55 single\n\t}\n"
    "}\n"
    "menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {\n\tfwsetup\n}\n"
    "menuentry \"Another\" {\n\tlinuxefi $kernel quiet\n}\n"
    "menuentry \"The last\" {\n\tlinuxefi /vmlinuz quiet\n}\n";

static void read_grub(const char *initial) {
    static char text[4096];
    begin();
    lb_format(text, sizeof(text), debian_grub, initial);
    lb_entries_grub(&entries, lb_bytes_of_text(text), 1);
}

static void grubs_entries_are_read(void) {
    read_grub("0");
    CHECK_EQ(entries.count, 4);
    const struct lb_entry *one = &entries.list[0];
    CHECK_STR(one->title, "Debian GNU/Linux");
    CHECK_STR(one->id, "gnulinux-simple-12");
    CHECK_STR(one->kernel, "/boot/vmlinuz-6.1.0-56-amd64");
    CHECK_STR(one->options, "root=UUID=12 ro quiet \"a=b c\"");
    CHECK_EQ(one->initrd_count, 2);
    CHECK_STR(one->initrds[1], "/boot/initrd.img-6.1.0-56-amd64");
    CHECK_EQ(one->partition, 1);
    CHECK_STR(entries.list[1].kernel, "/boot/vmlinuz-6.1.0-55");
    CHECK_STR(entries.list[2].id, "rescue");
    CHECK_STR(entries.list[3].id, "4");
}

static void grubs_default_is_a_number_or_a_path_or_a_name(void) {
    read_grub("0");
    CHECK_STR(chosen(""), "gnulinux-simple-12");
    read_grub("4");
    CHECK_STR(chosen(""), "4");
    read_grub("1>1");
    CHECK_STR(chosen(""), "rescue");
    read_grub("gnulinux-advanced-12>gnulinux-6.1.0-55");
    CHECK_STR(chosen(""), "gnulinux-6.1.0-55");
    read_grub("recovery");
    CHECK_STR(chosen(""), "rescue");
    read_grub("${saved_entry}");
    CHECK_STR(chosen(""), "gnulinux-simple-12");
    CHECK_STR(chosen("rescue"), "rescue");
}

/* An entry that would start without its initramfs, or with half of its words, is none. */
static void an_entry_of_grubs_that_does_not_fit_is_left_out(void) {
    static char text[8192];
    char name[512];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    static const char *const whole[] = {
        "menuentry a {\nlinux /a\ninitrd /1 /2 /3 /4 /5\n}\n",
        "menuentry a {\nlinux /a\ninitrd relative\n}\n",
    };
    for (size_t i = 0; i < LB_COUNT(whole); i++) {
        begin();
        lb_entries_grub(&entries, lb_bytes_of_text(whole[i]), 0);
        CHECK_EQ(entries.count, 0);
    }
    begin();
    lb_format(text, sizeof(text), "menuentry a {\nlinux /a\ninitrd /%.300s\n}\n", name);
    lb_entries_grub(&entries, lb_bytes_of_text(text), 0);
    CHECK_EQ(entries.count, 0);
    lb_format(text, sizeof(text), "menuentry a --id %.200s {\nlinux /a\n}\n", name);
    lb_entries_grub(&entries, lb_bytes_of_text(text), 0);
    CHECK_EQ(entries.count, 0);
    lb_entries_grub(&entries, lb_bytes_of_text("menuentry a {\nlinux /a\ninitrd $extra /1 \n}\n"),
                    0);
    CHECK_EQ(entries.count, 1);
    CHECK_EQ(entries.list[0].initrd_count, 1);
}

static void a_pattern_takes_no_more_time_than_it_should(void) {
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {{"", "", true},           {"", "a", false},     {"*", "", true},
                {"a*", "abc", true},      {"*c", "abc", true},  {"a?c", "abc", true},
                {"a?c", "ac", false},     {"*b*", "abc", true}, {"b*", "abc", false},
                {"a*b*c", "aXbYc", true}, {"[a]", "a", false}};
    char pattern[128], text[128];
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        if (!CHECK_EQ(lb_pattern_matches(rows[i].pattern, rows[i].text), rows[i].matches))
            tap_note("%s and %s", rows[i].pattern, rows[i].text);
    }
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
        memcpy(pattern + i, "*a", 2);
    memcpy(pattern + sizeof(pattern) - 2, "b", 2);
    CHECK(!lb_pattern_matches(pattern, text));
}

static void values_of_os_release_are_without_quotes(void) {
    static const char release[] = "NAME=x\nPRETTY_NAME=\"Debian 12\"\nID=debian\nVERSION_ID='12'\n";
    char value[16] = "before";
    lb_release_value(lb_bytes_of_text(release), "PRETTY_NAME", value, sizeof(value));
    CHECK_STR(value, "Debian 12");
    lb_release_value(lb_bytes_of_text(release), "VERSION_ID", value, sizeof(value));
    CHECK_STR(value, "12");
    lb_release_value(lb_bytes_of_text(release), "NONE", value, sizeof(value));
    lb_release_value(lb_bytes_of_text("ID=a-name-that-does-not-fit\n"), "ID", value, sizeof(value));
    CHECK_STR(value, "12");
}

static void a_broken_grub_cfg_is_survived(void) {
    static const char *const texts[] = {
        "}}}}\n}\n",
        "menuentry 'a {\n linux /b\n",
        "menuentry a {\nlinux\ninitrd\n}",
        "menuentry {\nlinux /a '",
        "submenu a {\nsubmenu b {\nsubmenu c {\nsubmenu d {\nsubmenu e "
        "{\nmenuentry f {\nlinux /a\n}\n}\n}\n}\n}\n}\nmenuentry g "
        "{\nlinux /b\n}\n",
        "menuentry a {\nlinux relative\n}\nset default=\\"};
    for (size_t i = 0; i < LB_COUNT(texts); i++) {
        size_t len = strlen(texts[i]);
        for (size_t cut = 0; cut <= len; cut++) {
            begin();
            lb_entries_grub(&entries, lb_bytes(texts[i], cut), 0);
            CHECK(entries.count <= 2);
        }
    }
    CHECK_EQ(entries.count, 0);
}

/* ---- type 2 ---------------------------------------------------------------------------------- */

enum { IMAGE_LEN = 4096 };

/* The least that has the sections. */
static void make_image(uint8_t *image) {
    static const char *const names[] = {".text", ".osrel", ".cmdline", ".linux", ".initrd"};
    struct lb_wr wr = lb_wr(lb_span(image, IMAGE_LEN));
    memset(image, 0, IMAGE_LEN);
    memcpy(image, "MZ", 2);
    image[60] = 128;
    memcpy(image + 128, "PE\0\0", 4);
    image[134] = LB_COUNT(names);
    image[148] = 16; /* the optional header's length */
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        uint8_t *header = image + 152 + 16 + i * 40;
        memcpy(header, names[i], strlen(names[i]));
        header[8] = (uint8_t)(10 + i); /* size in memory */
        header[17] = 2;                /* and 512 in the file */
        header[21] = (uint8_t)(4 + i); /* at 1024 and so on */
    }
    (void)wr;
}

static void an_image_has_its_parts(void) {
    static uint8_t bytes[IMAGE_LEN];
    struct lb_image image;
    make_image(bytes);
    CHECK(lb_image_parse(lb_bytes(bytes, IMAGE_LEN), IMAGE_LEN, &image));
    CHECK_EQ(image.release.offset, 0x500);
    CHECK_EQ(image.options.len, 12);
    CHECK_EQ(image.kernel.offset, 0x700);
    CHECK_EQ(image.kernel.len, 13);
    CHECK_EQ(image.initrd.offset, 0x800);
}

static void an_image_that_is_cut_off_is_none(void) {
    static uint8_t bytes[IMAGE_LEN];
    struct lb_image image;
    make_image(bytes);
    for (size_t len = 0; len < 368; len++)
        CHECK(!lb_image_parse(lb_bytes(bytes, len), IMAGE_LEN, &image));
    CHECK(lb_image_parse(lb_bytes(bytes, 368), IMAGE_LEN, &image));
    CHECK(!lb_image_parse(lb_bytes(bytes, IMAGE_LEN), 0x700, &image)); /* no room for the kernel */
}

/* ---- a disk ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/lb-kexec-XXXXXX";

static void make_folder(void) {
    strcpy(folder, "/tmp/lb-kexec-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void remove_folder(void) {
    char command[64];
    lb_format(command, sizeof(command), "rm -r %s", folder);
    CHECK_EQ(system(command), 0);
}

static const char *in_folder(const char *name) {
    static char path[256];
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text) {
    CHECK_EQ(lb_file_write(folder, name, 0644, lb_bytes_of_text(text)), 0);
}

static void add_partition(struct lb_bootdisk *disk, const char *name) {
    char path[256];
    lb_format(path, sizeof(path), "%s/%s", folder, name);
    lb_bootdisk_add(disk, name, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void a_disks_entries_are_found(void) {
    static struct lb_bootdisk disk;
    char command[300];
    int fd;
    make_folder();
    put("esp/loader/loader.conf", "default b*\n");
    put("esp/loader/entries/a.conf", "linux /a/linux\n");
    put("esp/loader/entries/b.conf", "linux /b/linux\n");
    put("esp/loader/entries/notes.txt", "linux /c/linux\n");
    put("root/boot/grub/grub.cfg", "menuentry g {\nlinux /boot/vmlinuz\n}\n");
    put("root/boot/vmlinuz", "kernel");
    put("root/etc/passwd", "secret");
    memset(&disk, 0, sizeof(disk));
    add_partition(&disk, "esp");
    add_partition(&disk, "root");
    lb_bootdisk_entries(&disk, &entries);
    CHECK_EQ(entries.count, 2); /* of the specification; grub's menu is then not looked at */
    CHECK_STR(chosen(""), "b");
    fd = lb_bootdisk_file(&disk, 0, "/boot/vmlinuz");
    CHECK(fd >= 0); /* on the other partition */
    close(fd);
    lb_format(command, sizeof(command), "%s/root/boot/link", folder);
    CHECK_EQ(symlink("/boot/vmlinuz", command), 0);
    lb_format(command, sizeof(command), "%s/root/boot/out", folder);
    CHECK_EQ(symlink("../../../../../../../../etc/shadow-that-is-not-there", command), 0);
    fd = lb_bootdisk_file(&disk, 1, "/boot/link");
    CHECK(fd >= 0); /* a link is within the partition */
    close(fd);
    CHECK_EQ(lb_bootdisk_file(&disk, 1, "/boot/out"), -ENOENT);
    CHECK_EQ(lb_bootdisk_file(&disk, 1, "/boot/none"), -ENOENT);
    lb_bootdisk_close(&disk);
    memset(&disk, 0, sizeof(disk));
    add_partition(&disk, "root");
    lb_bootdisk_entries(&disk, &entries);
    CHECK_EQ(entries.count, 1);
    CHECK_STR(entries.list[0].title, "g");
    lb_bootdisk_close(&disk);
    remove_folder();
}

/* ---- files that are none --------------------------------------------------------------------- */

/* As large as the file system allows; it takes no room. */
static void make_giant(const char *name) {
    static const off_t sizes[] = {INT64_MAX, (off_t)1 << 43, (off_t)1 << 40};
    int fd = open(in_folder(name), O_WRONLY | O_CREAT, 0600);
    bool made = false;
    for (size_t i = 0; !made && i < LB_COUNT(sizes); i++)
        made = ftruncate(fd, sizes[i]) == 0;
    CHECK(made);
    close(fd);
}

static void make_odd_ones(const char *where, const char *suffix) {
    static const char *const names[] = {"fifo", "folder", "giant", "loop", "empty"};
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        char name[128];
        lb_format(name, sizeof(name), "%s/%s%s", where, names[i], suffix);
        if (lb_streq(names[i], "fifo"))
            CHECK_EQ(mkfifo(in_folder(name), 0600), 0);
        else if (lb_streq(names[i], "folder"))
            CHECK_EQ(mkdir(in_folder(name), 0700), 0);
        else if (lb_streq(names[i], "giant"))
            make_giant(name);
        else if (lb_streq(names[i], "loop"))
            CHECK_EQ(symlink(strrchr(in_folder(name), '/') + 1, in_folder(name)), 0);
        else
            put(name, "");
    }
}

static void begin_disk(struct lb_bootdisk *disk) {
    memset(disk, 0, sizeof(*disk));
    make_folder();
    put("esp/loader/entries/note.txt", "");
    put("esp/EFI/Linux/note.txt", "");
}

static void odd_files_among_the_entries_are_passed_over_and_named(void) {
    static struct lb_bootdisk disk;
    begin_disk(&disk);
    make_odd_ones("esp/loader/entries", ".conf");
    put("esp/loader/entries/good.conf", "linux /vmlinuz\n");
    add_partition(&disk, "esp");
    lb_bootdisk_entries(&disk, &entries);
    CHECK_EQ(entries.count, 1);
    CHECK_STR(chosen(""), "good");
    CHECK_HAS(disk.refused, "esp:/loader/entries/");
    lb_bootdisk_close(&disk);
    remove_folder();
}

static void an_odd_file_alone_is_the_error(void) {
    static const struct {
        const char *name, *why;
    } rows[] = {{"fifo", "it is not a regular file"},
                {"folder", "Is a directory"},
                {"giant", "it is too long"},
                {"loop", "Too many levels of symbolic links"},
                {"empty", "it is empty"}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        static struct lb_bootdisk disk;
        struct lb_error error = {0};
        char from[256], file[64], want[128];
        begin_disk(&disk);
        make_odd_ones("esp", "");
        lb_format(file, sizeof(file), "esp/%s", rows[i].name);
        lb_format(from, sizeof(from), "%s", in_folder(file));
        CHECK_EQ(rename(from, in_folder("esp/loader/entries/x.conf")), 0);
        if (lb_streq(rows[i].name, "loop")) {
            CHECK_EQ(unlink(in_folder("esp/loader/entries/x.conf")), 0);
            CHECK_EQ(symlink("x.conf", in_folder("esp/loader/entries/x.conf")), 0);
        }
        add_partition(&disk, "esp");
        lb_bootdisk_entries(&disk, &entries);
        CHECK_EQ(entries.count, 0);
        lb_bootdisk_fail(&disk, &entries, "", &error);
        lb_format(want, sizeof(want), "esp:/loader/entries/x.conf: %s", rows[i].why);
        CHECK_EQ(error.code, LB_E_NO_BOOT_ENTRY);
        CHECK_HAS(error.facts, want);
        lb_bootdisk_close(&disk);
        remove_folder();
    }
}

static void odd_kernels_images_and_menus_are_refused(void) {
    static struct lb_bootdisk disk;
    begin_disk(&disk);
    make_odd_ones("esp", "");
    make_odd_ones("esp/EFI/Linux", ".efi");
    put("esp/grub/note.txt", "");
    CHECK_EQ(mkfifo(in_folder("esp/grub/grub.cfg"), 0600), 0);
    add_partition(&disk, "esp");
    CHECK_EQ(lb_bootdisk_file(&disk, 0, "/fifo"), -LB_FILE_ODD);
    CHECK_EQ(lb_bootdisk_file(&disk, 0, "/folder"), -EISDIR);
    CHECK_EQ(lb_bootdisk_file(&disk, 0, "/giant"), -LB_FILE_LONG);
    CHECK_EQ(lb_bootdisk_file(&disk, 0, "/loop"), -ELOOP);
    CHECK_EQ(lb_bootdisk_file(&disk, 0, "/empty"), -LB_FILE_EMPTY);
    lb_bootdisk_entries(&disk, &entries);
    CHECK_EQ(entries.count, 0);
    CHECK_HAS(disk.refused, "esp:/EFI/Linux/");
    lb_bootdisk_close(&disk);
    remove_folder();
}

static void a_menu_that_is_too_long_is_refused_and_not_cut(void) {
    static struct lb_bootdisk disk;
    static char text[(1 << 20) + 100];
    begin_disk(&disk);
    memset(text, '\n', sizeof(text) - 1);
    memcpy(text, "menuentry a {\nlinux /vmlinuz\n}", 30);
    put("esp/grub/grub.cfg", text);
    add_partition(&disk, "esp");
    lb_bootdisk_entries(&disk, &entries);
    CHECK_EQ(entries.count, 0);
    CHECK_HAS(disk.refused, "esp:/grub/grub.cfg: it is too long");
    lb_bootdisk_close(&disk);
    remove_folder();
}

static void a_disk_that_cannot_be_mounted_is_told(void) {
    struct lb_bootdisk disk;
    struct lb_error error = {0};
    CHECK(!lb_bootdisk_open(&disk, "/dev/lunboot-none", &error));
    CHECK_STR(lb_code_word(error.code), "no-boot-entry");
    CHECK_HAS(error.facts, "lunboot-none");
    lb_bootdisk_close(&disk);
}

/* ---- the next kernel ------------------------------------------------------------------------- */

static struct lb_rootpath target;
static struct lb_boot_net net;
static struct lb_next_boot next;
static char line[LB_COMMAND_LINE_MAX];

static void set_next(const char *options) {
    static const char text[] = "iscsi:192.0.2.1::3261:1:iqn.2026-11.test:disk";
    struct lb_error error = {0};
    CHECK(lb_rootpath_parse(lb_bytes_of_text(text), 0, &target, NULL, &error));
    net = (struct lb_boot_net){0};
    next = (struct lb_next_boot){.options = options,
                                 .more = "",
                                 .interface = "eth0",
                                 .mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
                                 .net = &net,
                                 .initiator = "iqn.2026-11.test:me",
                                 .target = &target,
                                 .portal = {lb_addr_v4(192, 0, 2, 1), 3261}};
}

static const char *made_line(void) {
    struct lb_text made = lb_text(line, sizeof(line));
    lb_kexec_line(&made, &next);
    return line;
}

static void the_next_kernel_is_led_back_to_the_disk(void) {
    set_next("root=UUID=12 ro");
    net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 50), 24};
    net.lease_s = 3600;
    CHECK_STR(made_line(), "root=UUID=12 ro BOOTIF=01-52-54-00-12-34-56 ip=dhcp "
                           "lunboot.enable=yes "
                           "lunboot.rootpath=iscsi:192.0.2.1::3261:1:iqn.2026-11.test:disk "
                           "lunboot.initiator=iqn.2026-11.test:me "
                           "iscsi_initiator=iqn.2026-11.test:me "
                           "iscsi_target_name=iqn.2026-11.test:disk iscsi_target_ip=192.0.2.1 "
                           "iscsi_target_port=3261 rd.iscsi.initiator=iqn.2026-11.test:me "
                           "netroot=iscsi:192.0.2.1::3261:1:iqn.2026-11.test:disk");
}

static void a_configured_address_is_told(void) {
    set_next("ro");
    next.more = "debug";
    net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 50), 24};
    net.routes[net.route_count++].via = lb_addr_v4(192, 0, 2, 254);
    lb_format(net.hostname, sizeof(net.hostname), "node1");
    CHECK_HAS(made_line(), " ip=192.0.2.50::192.0.2.254:255.255.255.0:node1:eth0:off: ");
    CHECK_HAS(line, "disk debug");
}

static void a_network_without_ipv4_is_told(void) {
    set_next("ro");
    net.addr6_count = 1;
    net.addrs6[0].valid_s = 3600;
    CHECK(lb_prefix_parse(lb_bytes_of_text("2001:db8::1/128"), &net.addrs6[0].address));
    CHECK_HAS(made_line(), " ip=dhcp6 ");
    net.addrs6[0].address.len = 64;
    CHECK_HAS(made_line(), " ip=auto6 ");
    net.addrs6[0].valid_s = LB_FOREVER;
    CHECK_HAS(made_line(), " lunboot.address=2001:db8::1/64 ");
}

static void words_that_the_entry_has_are_not_added(void) {
    set_next("ip=eth1:dhcp netroot=iscsi:elsewhere ro");
    net.address = (struct lb_prefix){lb_addr_v4(192, 0, 2, 50), 24};
    CHECK(strstr(made_line(), " ip=") == NULL);
    CHECK(strstr(line + 20, " netroot=iscsi:192") == NULL);
    CHECK_HAS(line, "lunboot.rootpath=");
}

static void policy_and_secrets_travel_to_the_next_kernel(void) {
    static const char policy[] = "require = chap\nallow-server = 192.0.2.0/24\n"
                                 "allow-target = disk1\naccept-names = lenient\n";
    static const char given[] = "enable = yes\nchap-name = me\nchap-secret = twelve-bytes-1\n";
    static struct lb_config config, read;
    struct lb_error error = {0};
    char conf[512];
    struct lb_text text = lb_text(conf, sizeof(conf));
    memset(&config, 0, sizeof(config));
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, lb_bytes_of_text(policy), &error));
    lb_kexec_conf(&text, &config, false);
    CHECK_STR(conf, policy);
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, lb_bytes_of_text(given), &error));
    text = lb_text(conf, sizeof(conf));
    lb_kexec_conf(&text, &config, false); /* the account is not this disk's */
    CHECK_STR(conf, policy);
    text = lb_text(conf, sizeof(conf));
    lb_kexec_conf(&text, &config, true);
    memset(&read, 0, sizeof(read));
    CHECK(lb_config_file(&read, LB_SOURCE_FILE, lb_bytes(conf, text.len), &error));
    CHECK(lb_config_check(&read, &error));
    CHECK(lb_config_requires(&read, "chap"));
    CHECK_STR(lb_config_text(&read, LB_KEY_ALLOW_TARGET), "disk1");
    CHECK_BYTES(lb_config_secret(&read, LB_KEY_CHAP_SECRET), lb_bytes_of_text("twelve-bytes-1"));
}

/* What the next kernel reads of what this one was given, which lasts in `config`. */
static struct lb_config *carried_over(const char *given, struct lb_config *config) {
    static struct lb_config read;
    struct lb_error error = {0};
    char conf[512];
    struct lb_text text = lb_text(conf, sizeof(conf));
    memset(config, 0, sizeof(*config));
    memset(&read, 0, sizeof(read));
    CHECK(lb_config_file(config, LB_SOURCE_FILE, lb_bytes_of_text(given), &error));
    lb_kexec_conf(&text, config, false);
    CHECK(lb_config_file(&read, LB_SOURCE_FILE, lb_bytes(conf, text.len), &error));
    CHECK(lb_config_check(&read, &error));
    return &read;
}

/* The SAs end with this kernel; the next one must be able to make its own, or boot nothing. */
static void the_next_kernel_protects_the_disk_as_this_one_did(void) {
    static const char given[] = "require = ipsec\nipsec-psk = a secret of 16 bytes or more\n"
                                "ipsec-id = client.example\nipsec-peer-id = server.example\n"
                                "ipsec-mode = transport\nipsec = all\n";
    static struct lb_config config;
    const struct lb_config *read = carried_over(given, &config);
    CHECK(lb_config_requires(read, "ipsec"));
    CHECK_STR(lb_config_text(read, LB_KEY_IPSEC), "all");
    CHECK_STR(lb_config_text(read, LB_KEY_IPSEC_ID), "client.example");
    CHECK_STR(lb_config_text(read, LB_KEY_IPSEC_PEER_ID), "server.example");
    CHECK_STR(lb_config_text(read, LB_KEY_IPSEC_MODE), "transport");
    CHECK_BYTES(lb_config_secret(read, LB_KEY_IPSEC_PSK),
                lb_config_secret(&config, LB_KEY_IPSEC_PSK));
}

/* What is required of DHCP needs its keys there, too. */
static void the_next_kernel_believes_no_other_dhcp_servers(void) {
    static const char given[] = "require = dhcp-auth\n"
                                "dhcp-keys = 7:0123456789abcdef,1@boot.example:0123456789abcdef\n";
    static struct lb_config config;
    const struct lb_config *read = carried_over(given, &config);
    CHECK(lb_config_requires(read, "dhcp-auth"));
    CHECK_BYTES(lb_config_secret(read, LB_KEY_DHCP_KEYS),
                lb_config_secret(&config, LB_KEY_DHCP_KEYS));
}

static void the_next_kernel_offers_the_digests_that_are_required(void) {
    static const char given[] = "require = header-digest\nheader-digest = crc32c\n";
    static struct lb_config config;
    CHECK_STR(lb_config_text(carried_over(given, &config), LB_KEY_HEADER_DIGEST), "crc32c");
}

/* A quote that does not close would swallow the words that lead the next kernel to its disk. */
static void a_line_that_is_not_whole_is_refused(void) {
    static const char *const odd[] = {"ro dyndbg=\"file a", "\"", "a=\"b\" \"c"};
    static char options[LB_COMMAND_LINE_MAX];
    struct lb_text made;
    for (size_t i = 0; i < LB_COUNT(odd); i++) {
        set_next(odd[i]);
        made = lb_text(line, sizeof(line));
        CHECK(!lb_kexec_line(&made, &next));
        set_next("ro");
        next.more = odd[i];
        made = lb_text(line, sizeof(line));
        CHECK(!lb_kexec_line(&made, &next));
    }
    set_next("ro a=\"b c\" quiet");
    next.more = "x=\"y z\"";
    made = lb_text(line, sizeof(line));
    CHECK(lb_kexec_line(&made, &next));
    memset(options, 'x', sizeof(options) - 1);
    options[1900] = 0; /* with our words it is longer than the kernel takes */
    set_next(options);
    made = lb_text(line, sizeof(line));
    CHECK(!lb_kexec_line(&made, &next));
}

static void a_menus_word_that_cannot_be_one_leaves_its_entry_out(void) {
    begin();
    lb_entries_grub(&entries,
                    lb_bytes_of_text("menuentry a {\nlinux /a 'b=\"c d'\n}\nmenuentry b {\n"
                                     "linux /b 'c=d e'\n}\n"),
                    0);
    CHECK_EQ(entries.count, 1);
    CHECK_STR(entries.list[0].options, "\"c=d e\"");
}

static void the_file_with_secrets_is_an_archive(void) {
    uint8_t room[1024];
    struct lb_bytes conf = lb_bytes_of_text("chap-secret = 0x00ff\n");
    struct lb_bytes archive = lb_kexec_archive(conf, lb_span(room, sizeof(room)));
    CHECK_EQ(archive.len % 4, 0);
    CHECK(archive.len > 300);
    /* inode, mode, owner, links, time, length, device; the name's length */
    CHECK(memcmp(archive.p + 116,
                 "070701"
                 "00000002"
                 "00008180"
                 "00000000"
                 "00000000"
                 "00000001"
                 "00000000"
                 "00000015",
                 62) == 0);
    CHECK(memcmp(archive.p + 116 + 110, "etc/lunboot.conf", 17) == 0);
    CHECK(memcmp(archive.p + 116 + 128, conf.p, conf.len) == 0);
    CHECK_EQ(lb_kexec_archive(conf, lb_span(room, 200)).len, 0);
}

int main(void) {
    TEST(an_entry_has_its_keys);
    TEST(variables_of_grub_are_empty);
    TEST(what_is_not_for_this_machine_is_left_out);
    TEST(what_does_not_fit_is_left_out_and_not_cut);
    TEST(a_name_counts_tries);
    TEST(versions_are_in_order);
    TEST(the_newest_version_comes_first);
    TEST(the_disks_default_is_taken_and_a_persons_word_before_it);
    TEST(more_entries_than_there_is_room_for_are_counted);
    TEST(grubs_entries_are_read);
    TEST(grubs_default_is_a_number_or_a_path_or_a_name);
    TEST(an_entry_of_grubs_that_does_not_fit_is_left_out);
    TEST(a_pattern_takes_no_more_time_than_it_should);
    TEST(values_of_os_release_are_without_quotes);
    TEST(a_broken_grub_cfg_is_survived);
    TEST(an_image_has_its_parts);
    TEST(an_image_that_is_cut_off_is_none);
    TEST(a_disks_entries_are_found);
    TEST(odd_files_among_the_entries_are_passed_over_and_named);
    TEST(an_odd_file_alone_is_the_error);
    TEST(odd_kernels_images_and_menus_are_refused);
    TEST(a_menu_that_is_too_long_is_refused_and_not_cut);
    TEST(a_disk_that_cannot_be_mounted_is_told);
    TEST(the_next_kernel_is_led_back_to_the_disk);
    TEST(a_configured_address_is_told);
    TEST(a_network_without_ipv4_is_told);
    TEST(words_that_the_entry_has_are_not_added);
    TEST(policy_and_secrets_travel_to_the_next_kernel);
    TEST(the_next_kernel_protects_the_disk_as_this_one_did);
    TEST(the_next_kernel_believes_no_other_dhcp_servers);
    TEST(the_next_kernel_offers_the_digests_that_are_required);
    TEST(a_line_that_is_not_whole_is_refused);
    TEST(a_menus_word_that_cannot_be_one_leaves_its_entry_out);
    TEST(the_file_with_secrets_is_an_archive);
    return tap_done();
}
