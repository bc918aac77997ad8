/* What a disk says it can boot: the Boot Loader Specification's entries of type 1 (files of `key
 * value` lines) and type 2 (unified kernel images), and the simple menu entries of a grub.cfg.
 * Texts only; who reads the disk is bootdisk.h. Everything on the disk is untrusted: what does not
 * fit is left out, never cut. */
#ifndef LB_LINUX_ENTRIES_H
#define LB_LINUX_ENTRIES_H

#include "core/base/bytes.h"
#include "core/base/text.h"
#include "hosts/linux/grub.h"

#define LB_ENTRIES_MAX       48
#define LB_ENTRY_INITRDS_MAX 4
#define LB_ENTRY_OPTIONS_MAX 2048 /* a kernel command line on x86 */
#define LB_GRUB_DEFAULT_MAX  320  /* "ID>ID", each with a version and a UUID */

enum lb_entry_kind {
    LB_ENTRY_FILE,  /* type 1 */
    LB_ENTRY_IMAGE, /* type 2: kernel, initrd and options are in one file */
    LB_ENTRY_GRUB,
    LB_ENTRY_CONFIGURED, /* by a person */
};
/* For people: "boot loader entry", ...; a constant. */
const char *lb_entry_kind_word(enum lb_entry_kind kind);

struct lb_entry {
    enum lb_entry_kind kind;
    char id[128]; /* the file's name without its suffix; grub's id or number */
    char title[128], version[64], sort_key[64], machine_id[40];
    char kernel[256]; /* a path on the partition; of an image, the image */
    char initrds[LB_ENTRY_INITRDS_MAX][256];
    size_t initrd_count;
    char options[LB_ENTRY_OPTIONS_MAX];
    bool is_bad;        /* boot counting: no tries are left */
    bool is_left_out;   /* while a grub.cfg is read: it has something that does not fit */
    unsigned partition; /* where it was found: bootdisk.h's number */
};

struct lb_entries {
    struct lb_entry list[LB_ENTRIES_MAX];
    size_t count, dropped;
    char wanted[LB_GRUB_DEFAULT_MAX]; /* the disk's own default; may be empty */
    /* Of a grub.cfg: */
    struct lb_grub_env grub; /* its variables; those of its environment block among them */
    size_t preferred;        /* 1 + the entry that `wanted` names; 0: none */
    bool has_blscfg;         /* its menu is the Boot Loader Specification's entries */
    bool is_wanted_once;     /* `wanted` is a next_entry, which GRUB would take once */
};

/* Type 1, of a file NAME.conf, with the variables of GRUB that it may use, as Fedora's do; false:
 * no entry for this machine (another architecture, no kernel, something that is not a path). */
bool lb_entry_parse(struct lb_bytes text, const char *name, const struct lb_grub_env *grub,
                    struct lb_entry *entry);
/* loader.conf: its `default`, a pattern of ids. */
void lb_entries_loader_conf(struct lb_entries *entries, struct lb_bytes text);
/* Adds the menu entries of a grub.cfg, those of submenus too, and sets what is of GRUB in *entries.
 * entries->grub has the platform and the environment block. An entry whose kernel needs a variable
 * without a value is left out. */
void lb_entries_grub(struct lb_entries *entries, struct lb_bytes text, unsigned partition);
/* Room for one more; NULL: dropped. */
struct lb_entry *lb_entries_add(struct lb_entries *entries);

/* In the order of the specification's menu: best first; grub's stay as they are. */
void lb_entries_sort(struct lb_entries *entries);
/* What `wanted` names (an id, a pattern of ids with * and ?, or a title; empty: the disk's
 * default, which GRUB may also give as a number), else the first. NULL: there is none, or none that
 * a person wanted. */
const struct lb_entry *lb_entries_choose(const struct lb_entries *entries, const char *wanted);
/* Whether this is the disk's default because a next_entry of GRUB's (grub-reboot) names it. GRUB
 * would forget that now. */
bool lb_entries_is_once(const struct lb_entries *entries, const struct lb_entry *entry);
/* Order of versions as the specification wants it: <0, 0, >0. */
int lb_version_compare(const char *a, const char *b);

/* The value of a key ("PRETTY_NAME") in a text of os-release's form, without its quotes. Where
 * there is none, or none that fits, `to` stays. */
void lb_release_value(struct lb_bytes text, const char *key, char *to, size_t cap);
/* Whether a text is what a pattern says: * stands for any characters, ? for one. */
bool lb_pattern_matches(const char *pattern, const char *text);

/* A part of a unified kernel image (a PE file). */
struct lb_image_part {
    uint32_t offset, len; /* in the file; len 0: not there */
};
struct lb_image {
    struct lb_image_part kernel, initrd, options, release;
};
/* From the first bytes of the file (4 KiB hold all section headers). False: no such image. */
bool lb_image_parse(struct lb_bytes head, uint64_t file_len, struct lb_image *image);

#endif
