/* GRUB's menus as Debian, Ubuntu, RHEL and Fedora make them, with their environment blocks: which
 * kernel would GRUB boot? The files are tests/vectors/grub; their folder is the argument. */
#include "hosts/linux/bootdisk.h"
#include "os/linux/files.h"
#include "tests/tap.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *vectors;
static struct lb_entries entries;
static char block_text[4096], text[16384];

static struct lb_bytes load(const char *name, char *to, size_t cap) {
    char path[512];
    lb_format(path, sizeof(path), "%s/%s", vectors, name);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(to, 1, cap - 1, file) : 0;
    CHECK(file != NULL && len > 0);
    if (file)
        fclose(file);
    to[len] = 0;
    return lb_bytes(to, len);
}

static void begin(const char *block) {
    memset(&entries, 0, sizeof(entries));
    if (block)
        entries.grub.block = lb_bytes_of_text(block);
}

/* A block with these lines. */
static const char *block_of(const char *lines) {
    lb_format(block_text, sizeof(block_text), "# GRUB Environment Block\n%s####", lines);
    return block_text;
}

static void read_menu(const char *name, const char *block) {
    begin(block);
    lb_entries_grub(&entries, load(name, text, sizeof(text)), 0);
}

static void read_menu_and_file(const char *name, const char *block) {
    begin(NULL);
    entries.grub.block = load(block, block_text, sizeof(block_text));
    lb_entries_grub(&entries, load(name, text, sizeof(text)), 0);
}

static const struct lb_entry *chosen(void) {
    static const struct lb_entry none;
    const struct lb_entry *one = lb_entries_choose(&entries, "");
    return one ? one : &none;
}

/* ---- Debian ---------------------------------------------------------------------------------- */

static void a_menu_of_debian_has_its_kernels(void) {
    read_menu("debian.cfg", NULL);
    CHECK_EQ(entries.count, 6); /* without the firmware's settings; the memory test is one */
    CHECK_STR(entries.list[0].title, "Debian GNU/Linux");
    CHECK_STR(entries.list[0].options, "root=UUID=0b6f2d2e-7a51-4d5a-9f0a-3c1d9b4e7a11 ro quiet");
    CHECK_STR(entries.list[3].kernel, "/boot/vmlinuz-6.1.0-25-amd64");
    CHECK_STR(entries.list[5].initrds[0], "/boot/initrd-rescue.img");
    CHECK(chosen() == &entries.list[0]); /* nothing is saved */
}

static void the_memory_test_is_no_entry_where_the_machine_has_uefi(void) {
    begin(NULL);
    entries.grub.is_efi = true;
    lb_entries_grub(&entries, load("debian.cfg", text, sizeof(text)), 0);
    CHECK_EQ(entries.count, 5);
}

static void the_saved_entry_is_the_default(void) {
    read_menu_and_file("debian.cfg", "debian.grubenv");
    CHECK_STR(chosen()->id,
              "gnulinux-6.1.0-25-amd64-advanced-0b6f2d2e-7a51-4d5a-9f0a-3c1d9b4e7a11");
    CHECK(!lb_entries_is_once(&entries, chosen()));
}

static void the_next_entry_stands_above_the_saved_one(void) {
    read_menu_and_file("debian.cfg", "debian-next.grubenv");
    CHECK_STR(chosen()->kernel, "/boot/vmlinuz-6.1.0-25-amd64");
    CHECK(lb_entries_is_once(&entries, chosen()));
    CHECK(!lb_entries_is_once(&entries, &entries.list[0]));
}

/* GRUB_DEFAULT without `saved`: the saved entry counts for nothing, the next one does. */
static void a_default_in_the_menu_is_above_the_saved_entry(void) {
    static const char menu[] = "if [ -s $prefix/grubenv ]; then load_env; fi\n"
                               "if [ \"${next_entry}\" ] ; then set default=\"${next_entry}\"\n"
                               "else set default=\"1\"; fi\n"
                               "menuentry a {\nlinux /a\n}\nmenuentry b {\nlinux /b\n}\n"
                               "menuentry c {\nlinux /c\n}\n";
    begin(block_of("saved_entry=c\n"));
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_STR(chosen()->title, "b");
    begin(block_of("saved_entry=a\nnext_entry=c\n"));
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_STR(chosen()->title, "c");
    begin(block_of("next_entry=\n"));
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_STR(chosen()->title, "b");
    begin("next_entry=c\n"); /* no block without its first line */
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_STR(chosen()->title, "b");
}

static void a_default_is_named_as_people_name_it(void) {
    static const struct {
        const char *saved, *kernel;
    } cases[] = {
        {"0", "/boot/vmlinuz-6.1.0-26-amd64"},
        {"1>2", "/boot/vmlinuz-6.1.0-25-amd64"},
        {"1>1", "/boot/vmlinuz-6.1.0-26-amd64"},
        {"Advanced options for Debian GNU/Linux>2", "/boot/vmlinuz-6.1.0-25-amd64"},
        {"Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-25-amd64",
         "/boot/vmlinuz-6.1.0-25-amd64"},
        {"1>Debian GNU/Linux, with Linux 6.1.0-25-amd64", "/boot/vmlinuz-6.1.0-25-amd64"},
        {"Rescue >> with a shell", "/boot/vmlinuz-rescue"}, /* `>>` is a > of a title */
        {"4", "/boot/vmlinuz-rescue"},
        {"memtest86+", "/boot/memtest86+x64.bin"},
        {"3", "/boot/vmlinuz-6.1.0-26-amd64"},    /* the firmware's settings have no kernel */
        {"gone", "/boot/vmlinuz-6.1.0-26-amd64"}, /* the first one, as in GRUB */
        {"1>9", "/boot/vmlinuz-6.1.0-26-amd64"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char line[256];
        lb_format(line, sizeof(line), "saved_entry=%s\n", cases[i].saved);
        read_menu("debian.cfg", block_of(line));
        if (!CHECK_STR(chosen()->kernel, cases[i].kernel))
            tap_note("saved_entry=%s", cases[i].saved);
    }
}

/* ---- Ubuntu ---------------------------------------------------------------------------------- */

static void a_branch_that_grub_would_not_take_is_left_out(void) {
    read_menu("ubuntu.cfg", NULL);
    CHECK_EQ(entries.count, 2);
    CHECK_STR(entries.list[0].options, "root=PARTUUID=9a1b ro console=tty1 console=ttyS0 panic=-1");
    CHECK_EQ(entries.list[0].initrd_count, 0);
    CHECK_STR(entries.list[1].options, "root=UUID=4f3e ro quiet splash");
}

static void and_the_block_decides_which_one_that_is(void) {
    read_menu("ubuntu.cfg", block_of("initrdfail=1\nprev_entry=splash\nrecordfail=1\n"));
    CHECK_STR(chosen()->id, "splash"); /* after a boot without initramfs that failed */
    read_menu("ubuntu.cfg", block_of("initrdfail=1\n"));
    CHECK_STR(entries.list[0].options, "root=UUID=4f3e ro console=tty1 console=ttyS0");
    CHECK_EQ(entries.list[0].initrd_count, 1);
}

/* ---- RHEL and Fedora ------------------------------------------------------------------------- */

static char folder[64];

static void put(const char *name, struct lb_bytes content) {
    CHECK_EQ(lb_file_write(folder, name, 0644, content), 0);
}

static void put_text(const char *name, const char *content) {
    put(name, lb_bytes_of_text(content));
}

static void put_vector(const char *name, const char *vector) {
    put(name, load(vector, text, sizeof(text)));
}

static void begin_disk(void) {
    lb_format(folder, sizeof(folder), "/tmp/lb-grub-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

/* What lunboot finds on the two partitions of the disk. */
static void read_disk(void) {
    static const char *const names[] = {"esp", "boot"};
    static struct lb_bootdisk disk;
    char path[128];
    memset(&disk, 0, sizeof(disk));
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        int fd;
        lb_format(path, sizeof(path), "%s/%s", folder, names[i]);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            lb_bootdisk_add(&disk, names[i], fd);
    }
    lb_bootdisk_entries(&disk, &entries);
    lb_bootdisk_close(&disk);
}

static void end_disk(void) {
    char command[128];
    lb_format(command, sizeof(command), "rm -r %s", folder);
    CHECK_EQ(system(command), 0);
}

static void put_rhel_entries(void) {
    put_text("boot/loader/entries/6c063c8e48904f2684abde8eea303f41-4.18.0-553.el8.x86_64.conf",
             "title Red Hat Enterprise Linux (4.18.0-553.el8.x86_64) 8.10 (Ootpa)\n"
             "version 4.18.0-553.el8.x86_64\n"
             "linux /vmlinuz-4.18.0-553.el8.x86_64\n"
             "initrd /initramfs-4.18.0-553.el8.x86_64.img $tuned_initrd\n"
             "options $kernelopts $tuned_params\n"
             "id rhel-20240510-4.18.0-553.el8.x86_64\n"
             "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n");
    put_text("boot/loader/entries/6c063c8e48904f2684abde8eea303f41-4.18.0-513.el8.x86_64.conf",
             "title Red Hat Enterprise Linux (4.18.0-513.el8.x86_64) 8.9 (Ootpa)\n"
             "version 4.18.0-513.el8.x86_64\n"
             "linux /vmlinuz-4.18.0-513.el8.x86_64\n"
             "initrd /initramfs-4.18.0-513.el8.x86_64.img $tuned_initrd\n"
             "options $kernelopts $tuned_params\n");
}

static void rhels_saved_entry_and_kernelopts_are_those_of_its_block(void) {
    begin_disk();
    put_rhel_entries();
    put_vector("boot/grub2/grub.cfg", "rhel8.cfg");
    put_vector("boot/grub2/grubenv", "rhel8.grubenv");
    read_disk();
    CHECK_EQ(entries.count, 2);
    CHECK_STR(chosen()->kernel, "/vmlinuz-4.18.0-513.el8.x86_64");
    CHECK_EQ(chosen()->initrd_count, 1);
    CHECK_STR(chosen()->initrds[0], "/initramfs-4.18.0-513.el8.x86_64.img");
    CHECK_STR(chosen()->options,
              "root=/dev/mapper/rhel-root ro crashkernel=auto resume=/dev/mapper/rhel-swap "
              "rd.lvm.lv=rhel/root rhgb quiet");
    end_disk();
}

/* Installed for UEFI: the menu and the block are on the EFI system partition. */
static void rhels_files_for_uefi_are_found(void) {
    begin_disk();
    put_rhel_entries();
    put_vector("esp/EFI/redhat/grub.cfg", "rhel8.cfg");
    put_vector("esp/EFI/redhat/grubenv", "rhel8.grubenv");
    read_disk();
    CHECK_STR(chosen()->kernel, "/vmlinuz-4.18.0-513.el8.x86_64");
    CHECK_HAS(chosen()->options, "rd.lvm.lv=rhel/root");
    end_disk();
}

/* RHEL 9: /boot/grub2/grub.cfg, a link beside it to the block on the other partition. */
static void a_block_on_the_other_partition_is_found(void) {
    char link[128];
    begin_disk();
    put_rhel_entries();
    put_text("esp/EFI/redhat/grub.cfg",
             "search --no-floppy --root-dev-only --fs-uuid --set=dev 12\n"
             "set prefix=($dev)/grub2\nexport $prefix\n"
             "configfile $prefix/grub.cfg\n");
    put_vector("boot/grub2/grub.cfg", "rhel8.cfg");
    put_vector("esp/EFI/redhat/grubenv", "rhel8.grubenv");
    lb_format(link, sizeof(link), "%s/boot/grub2/grubenv", folder);
    CHECK_EQ(symlink("../efi/EFI/redhat/grubenv", link), 0);
    read_disk();
    CHECK_STR(chosen()->kernel, "/vmlinuz-4.18.0-513.el8.x86_64");
    end_disk();
}

static void without_a_block_the_menus_own_kernelopts_count(void) {
    begin_disk();
    put_rhel_entries();
    put_vector("boot/grub2/grub.cfg", "rhel8.cfg");
    read_disk();
    CHECK_STR(chosen()->kernel, "/vmlinuz-4.18.0-553.el8.x86_64"); /* the newest one */
    CHECK_HAS(chosen()->options, "rd.lvm.lv=rhel/root rd.lvm.lv=rhel/swap rhgb quiet");
    end_disk();
}

static void put_fedora(const char *lines) {
    put_text("boot/loader/entries/b4e66474bf8f4ab997720a7bd0d83628-6.5.6-300.fc39.x86_64.conf",
             "title Fedora Linux (6.5.6-300.fc39.x86_64) 39 (Thirty Nine)\n"
             "version 6.5.6-300.fc39.x86_64\nlinux /vmlinuz-6.5.6-300.fc39.x86_64\n"
             "initrd /initramfs-6.5.6-300.fc39.x86_64.img\n"
             "options root=UUID=12 ro rootflags=subvol=root rhgb quiet\n");
    put_text("boot/loader/entries/b4e66474bf8f4ab997720a7bd0d83628-6.10.6-200.fc39.x86_64.conf",
             "title Fedora Linux (6.10.6-200.fc39.x86_64) 39 (Thirty Nine)\n"
             "version 6.10.6-200.fc39.x86_64\nlinux /vmlinuz-6.10.6-200.fc39.x86_64\n"
             "initrd /initramfs-6.10.6-200.fc39.x86_64.img\n"
             "options root=UUID=12 ro rootflags=subvol=root rhgb quiet\n");
    put_vector("boot/grub2/grub.cfg", "fedora.cfg");
    put_text("boot/grub2/grubenv", block_of(lines));
}

static void fedoras_default_is_an_id_or_a_title_or_a_number(void) {
    static const struct {
        const char *lines, *kernel;
        bool is_once;
    } cases[] = {
        {"", "/vmlinuz-6.10.6-200.fc39.x86_64", false},
        {"saved_entry=b4e66474bf8f4ab997720a7bd0d83628-6.5.6-300.fc39.x86_64\n",
         "/vmlinuz-6.5.6-300.fc39.x86_64", false},
        {"saved_entry=1\n", "/vmlinuz-6.5.6-300.fc39.x86_64", false},
        {"saved_entry=0\nnext_entry=1\n", "/vmlinuz-6.5.6-300.fc39.x86_64", true},
        {"saved_entry=Fedora Linux (6.5.6-300.fc39.x86_64) 39 (Thirty Nine)\n",
         "/vmlinuz-6.5.6-300.fc39.x86_64", false},
        {"saved_entry=b4e66474bf8f4ab997720a7bd0d83628-6.2.0-1.fc38.x86_64\n",
         "/vmlinuz-6.10.6-200.fc39.x86_64", false},
        /* A new kernel that never came up: the count has ended, and the second entry boots. */
        {"saved_entry=0\nboot_success=0\nboot_counter=0\n", "/vmlinuz-6.5.6-300.fc39.x86_64",
         false},
        {"saved_entry=0\nboot_success=1\nboot_counter=0\n", "/vmlinuz-6.10.6-200.fc39.x86_64",
         false},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        begin_disk();
        put_fedora(cases[i].lines);
        read_disk();
        if (!CHECK_STR(chosen()->kernel, cases[i].kernel))
            tap_note("%s", cases[i].lines);
        CHECK_EQ(lb_entries_is_once(&entries, chosen()), cases[i].is_once);
        end_disk();
    }
}

static void a_loader_conf_stands_above_a_block(void) {
    begin_disk();
    put_fedora("next_entry=1\n");
    put_text("esp/loader/loader.conf", "default *-6.10.6-*\n");
    read_disk();
    CHECK_STR(chosen()->kernel, "/vmlinuz-6.10.6-200.fc39.x86_64");
    CHECK(!lb_entries_is_once(&entries, chosen()));
    end_disk();
}

/* A block alone, of a system that was moved from GRUB to systemd-boot, says nothing. */
static void a_menu_without_blscfg_says_nothing_of_the_entries(void) {
    begin_disk();
    put_fedora("saved_entry=1\n");
    put_text("boot/grub2/grub.cfg", "load_env\nset default=\"${saved_entry}\"\n"
                                    "menuentry a {\nlinux /a\n}\n");
    read_disk();
    CHECK_EQ(entries.count, 2);
    CHECK_STR(chosen()->kernel, "/vmlinuz-6.10.6-200.fc39.x86_64");
    end_disk();
}

/* ---- the language ---------------------------------------------------------------------------- */

static void a_block_has_its_values_with_what_was_escaped(void) {
    begin(block_of("a=1\n# b=2\nempty=\nback=x\\\\y\nlong\n=nameless\na=3\nlast=kept"));
    CHECK(lb_grub_env_load(&entries.grub));
    CHECK_STR(lb_grub_env_get(&entries.grub, "a"), "3");
    CHECK_STR(lb_grub_env_get(&entries.grub, "empty"), "");
    CHECK_STR(lb_grub_env_get(&entries.grub, "back"), "x\\y");
    CHECK(lb_grub_env_get(&entries.grub, "b") == NULL);
    CHECK(lb_grub_env_get(&entries.grub, "long") == NULL);
    CHECK_STR(lb_grub_env_get(&entries.grub, "last"), "kept####"); /* as GRUB reads it */
}

static void what_is_no_block_sets_nothing(void) {
    static const char *const texts[] = {"", "a=1\n", "# GRUB Environment Block", "#", "ELF"};
    for (size_t i = 0; i < LB_COUNT(texts); i++) {
        char value[16];
        begin(texts[i]);
        CHECK(!lb_grub_env_load(&entries.grub));
        CHECK(!lb_grub_block_value(&entries.grub, "a", value, sizeof(value)));
        CHECK_EQ(entries.grub.len, 0);
    }
}

static void variables_are_replaced_and_those_that_do_not_fit_are_not_set(void) {
    static char large[LB_GRUB_POOL_BYTES];
    struct lb_grub_env *env = &entries.grub;
    begin(NULL);
    CHECK(lb_grub_env_set(env, "one", "first"));
    CHECK(lb_grub_env_set(env, "two", "2"));
    CHECK(lb_grub_env_set(env, "one", "1"));
    CHECK_STR(lb_grub_env_get(env, "one"), "1");
    CHECK_STR(lb_grub_env_get(env, "two"), "2");
    memset(large, 'x', sizeof(large) - 1);
    CHECK(!lb_grub_env_set(env, "two", large));
    CHECK(lb_grub_env_get(env, "two") == NULL); /* no half of it, and no old value */
    CHECK(!lb_grub_env_set(env, "", "x"));
    lb_grub_env_forget(env, "one");
    CHECK(lb_grub_env_get(env, "one") == NULL);
    CHECK(lb_grub_is_unknown(env, "one"));
    CHECK(!lb_grub_is_unknown(env, "two"));
}

static enum lb_grub_verdict test_of(const char *condition) {
    static struct lb_grub_command command;
    struct lb_bytes rest = lb_bytes_of_text(condition);
    if (!lb_grub_next(&rest, &entries.grub, &command))
        return LB_GRUB_UNSURE;
    return lb_grub_test(&entries.grub, &command);
}

static void conditions_are_judged_as_far_as_they_are_known(void) {
    static const struct {
        const char *condition;
        enum lb_grub_verdict verdict;
    } cases[] = {
        {"[ \"${set}\" ]", LB_GRUB_YES},
        {"[ $set ]", LB_GRUB_YES},
        {"[ \"${unset}\" ]", LB_GRUB_NO},
        {"[ ]", LB_GRUB_NO},
        {"[ -n \"${set}\" -a \"${number}\" = \"7\" ]", LB_GRUB_YES},
        {"[ -n \"${unset}\" -a \"${?}\" = \"7\" ]", LB_GRUB_NO},
        {"[ -n \"${unset}\" -o \"${number}\" = 7 ]", LB_GRUB_YES},
        {"[ -z \"${unset}\" ]", LB_GRUB_YES},
        {"[ ! -z \"${unset}\" ]", LB_GRUB_NO},
        {"[ x$set = xvalue ]", LB_GRUB_YES},
        {"[ \"x$set\" != 'xvalue' ]", LB_GRUB_NO},
        {"[ x\"${feature_menuentry_id}\" = xy ]", LB_GRUB_YES},
        {"[ $number -lt 8 ]", LB_GRUB_YES},
        {"[ $number -ge 8 ]", LB_GRUB_NO},
        {"[ $number -eq 07 ]", LB_GRUB_YES},
        {"[ $set -gt 1 ]", LB_GRUB_UNSURE},
        {"test \"$set\" == value", LB_GRUB_YES},
        {"[ \"$?\" = 0 ]", LB_GRUB_UNSURE},
        {"[ \"$root\" = hd0 ]", LB_GRUB_UNSURE},
        {"[ \"$?\" = 0 -a a = b ]", LB_GRUB_NO},
        {"[ \"$?\" = 0 -o a = a ]", LB_GRUB_YES},
        {"[ -s $prefix/grubenv ]", LB_GRUB_NO},
        {"[ -e ${prefix}/gfxblacklist.txt ]", LB_GRUB_UNSURE},
        {"[ ( a = b ) ]", LB_GRUB_UNSURE},
        {"loadfont $font", LB_GRUB_UNSURE},
        {"true", LB_GRUB_YES},
        {"false", LB_GRUB_NO},
    };
    begin(NULL);
    CHECK(lb_grub_env_set(&entries.grub, "set", "value"));
    CHECK(lb_grub_env_set(&entries.grub, "number", "7"));
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        if (!CHECK_EQ(test_of(cases[i].condition), cases[i].verdict))
            tap_note("%s", cases[i].condition);
    }
}

static void branches_within_branches_are_followed(void) {
    static const char menu[] =
        "if true; then if false; then set default=1; else set default=2; fi; else set default=0; "
        "fi\n"
        "if [ \"$?\" = 0 ]; then menuentry a {\n linux /a\n }\nfi\n"
        "if false; then\n menuentry b {\n if true; then\n linux /b\n fi\n }\nfi\n"
        "menuentry c {\n if false; then linux /x; elif true; then linux /c; else linux /y; fi\n}\n"
        "for i in 1 2; do true; done\nmenuentry d { linux /d; }\n";
    begin(NULL);
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_EQ(entries.count, 3);
    CHECK_STR(entries.list[0].kernel, "/a");
    CHECK_STR(entries.list[1].kernel, "/c");
    CHECK_STR(entries.list[2].kernel, "/d");
    CHECK_STR(chosen()->kernel, "/d");
}

static void words_are_split_and_joined_as_grub_does(void) {
    static const char menu[] =
        "set more=\"a=1  b=2\"; set one='c d'\n"
        "menuentry x {\n"
        "linux /boot/vmlinuz root=UUID=1 $more \"$one\" e=$none \\\n quiet \\$dollar 'f=$more' #g\n"
        "initrd $none /a $none/b (hd0,1)/c\n}\n"
        "menuentry y {\nlinux $none/vmlinuz\n}\nmenuentry z {\nlinux ($root)/vmlinuz\n}\n";
    begin(NULL);
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_EQ(entries.count, 2); /* a kernel's path that needs a variable without a value is none */
    CHECK_STR(entries.list[0].options, "root=UUID=1 a=1 b=2 \"c d\" e= quiet $dollar f=$more");
    CHECK_EQ(entries.list[0].initrd_count, 2);
    CHECK_STR(entries.list[0].initrds[0], "/a");
    CHECK_STR(entries.list[0].initrds[1], "/c");
    CHECK_STR(entries.list[1].kernel, "/vmlinuz");
}

static void an_entry_that_is_too_much_is_left_out(void) {
    static char menu[8192];
    struct lb_text made = lb_text(menu, sizeof(menu));
    lb_text_add(&made, "menuentry x {\nlinux /x");
    for (unsigned i = 0; i < LB_GRUB_WORDS_MAX; i++)
        lb_text_add(&made, " w%u", i);
    lb_text_add(&made, "\n}\nmenuentry y {\nlinux /y a=%0*u\n}\n", 10, 1);
    begin(NULL);
    lb_entries_grub(&entries, lb_bytes_of_text(menu), 0);
    CHECK_EQ(entries.count, 1);
    CHECK_STR(entries.list[0].kernel, "/y");
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    vectors = argv[1];
    TEST(a_menu_of_debian_has_its_kernels);
    TEST(the_memory_test_is_no_entry_where_the_machine_has_uefi);
    TEST(the_saved_entry_is_the_default);
    TEST(the_next_entry_stands_above_the_saved_one);
    TEST(a_default_in_the_menu_is_above_the_saved_entry);
    TEST(a_default_is_named_as_people_name_it);
    TEST(a_branch_that_grub_would_not_take_is_left_out);
    TEST(and_the_block_decides_which_one_that_is);
    TEST(rhels_saved_entry_and_kernelopts_are_those_of_its_block);
    TEST(rhels_files_for_uefi_are_found);
    TEST(a_block_on_the_other_partition_is_found);
    TEST(without_a_block_the_menus_own_kernelopts_count);
    TEST(fedoras_default_is_an_id_or_a_title_or_a_number);
    TEST(a_loader_conf_stands_above_a_block);
    TEST(a_menu_without_blscfg_says_nothing_of_the_entries);
    TEST(a_block_has_its_values_with_what_was_escaped);
    TEST(what_is_no_block_sets_nothing);
    TEST(variables_are_replaced_and_those_that_do_not_fit_are_not_set);
    TEST(conditions_are_judged_as_far_as_they_are_known);
    TEST(branches_within_branches_are_followed);
    TEST(words_are_split_and_joined_as_grub_does);
    TEST(an_entry_that_is_too_much_is_left_out);
    return tap_done();
}
