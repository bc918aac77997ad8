/* Configuration: one table of keys (config.def), one way to set them, one way to read them.
 *
 * A value comes from the lines of lunboot.conf, from the kernel command line (lunboot.key=value),
 * from a program's options (--key=value), or from what a person types; the later source wins.
 * `enable = no` of any source forbids, whatever the others say, and what several of them `require`
 * adds up. Nothing that a network said is ever stored here, so `enable` set here was set by an
 * administrator. A signed source stands above all others, and may lock them out.
 *
 * What is not understood is an error, and so is what is there by half: lb_config_check.
 *
 * A zeroed struct is a configuration in which nothing is set; reading a key that is not set gives
 * its default. The struct holds secrets: wipe it with lb_config_wipe_secrets. */
#ifndef LB_BASE_CONFIG_H
#define LB_BASE_CONFIG_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"

enum lb_key {
#define LB_KEY(name, word, type, initial, min, max, form, sentence) LB_KEY_##name,
#include "core/base/config.def"
#undef LB_KEY
    LB_KEY_COUNT,
};

enum lb_key_type {
    LB_TYPE_BOOL,     /* yes no, true false, on off, 1 0 */
    LB_TYPE_NUMBER,   /* min..max */
    LB_TYPE_DURATION, /* milliseconds min..max; written 500ms, 10s, 2m; a bare number is seconds */
    LB_TYPE_TEXT,     /* up to max bytes, fit for a terminal: no controls */
    LB_TYPE_HOSTNAME, /* lb_host_name_is_plain, up to max bytes */
    LB_TYPE_WORD,     /* lb_interface_name_is_plain, up to max bytes */
    LB_TYPE_SECRET,   /* min..max bytes; 0x and hex digits for binary; never shown */
    LB_TYPE_ADDR,
    LB_TYPE_PREFIX,
    LB_TYPE_ADDRS,   /* a list with commas */
    LB_TYPE_LIST,    /* a list with commas, of any text */
    LB_TYPE_SERVERS, /* of addresses, ADDRESS/LENGTH networks and host names */
    LB_TYPE_NAMES,   /* of iSCSI names, which may end in * */
    LB_TYPE_HOSTS,   /* of hosts, with :PORT or without */
    LB_TYPE_CARDS,   /* of network cards: net0, or a MAC address */
    LB_TYPE_ROUTES,  /* of NETWORK/LENGTH via ROUTER, or without a router: lb_route_parse */
    LB_TYPE_CHOICE,  /* one of the words of `form`, which are separated by | */
    LB_TYPE_CHOICES, /* a list with commas of such words */
    LB_TYPE_BYTES,   /* min..max bytes as hex digits, optional colons */
};

/* Who set a key; the later wins. */
enum lb_config_source {
    LB_SOURCE_NONE,       /* not set: the default */
    LB_SOURCE_IBFT,       /* what the firmware booted: its iSCSI Boot Firmware Table */
    LB_SOURCE_START,      /* how the program was started: by PXE's boot file, by hand */
    LB_SOURCE_OPEN_ISCSI, /* Linux: the files of open-iscsi */
    LB_SOURCE_FILE,
    LB_SOURCE_FIRMWARE, /* a firmware variable */
    LB_SOURCE_KERNEL,   /* the kernel command line */
    LB_SOURCE_OPTION,   /* the program's command line, EFI load options */
    LB_SOURCE_PERSON,   /* typed in */
    LB_SOURCE_VERIFIED, /* a file with a valid signature of config-signer */
    LB_SOURCE_SIGNED,   /* in the program, whose signature the firmware has verified */
    LB_SOURCES,
};
/* For reports and errors: "kernel command line", ...; a constant. */
const char *lb_config_source_word(enum lb_config_source source);

/* All texts together: the longest key is 1 KiB, most are 20 bytes. */
#define LB_CONFIG_TEXT_MAX 8192

/* What the firmware booted, by its table (iBFT). It is kept beside the keys, for a person may set
 * these anew: the table's CHAP secrets are for its target alone, and its CHAP is required there. */
struct lb_config_table {
    char target[LB_NAME_MAX + 1]; /* empty: there is no table, or it is not used */
    bool chap, mutual;            /* the firmware logged in by CHAP; and the target proved itself */
    bool is_address_kept;         /* proved there; without keys DHCP is not asked for another one */
};

struct lb_config {
    uint8_t source[LB_KEY_COUNT];   /* enum lb_config_source */
    uint16_t line[LB_KEY_COUNT];    /* of the file that set it; 0: no file */
    uint32_t number[LB_KEY_COUNT];  /* of numeric types */
    uint16_t text_at[LB_KEY_COUNT]; /* of the other types: into texts */
    uint16_t text_len[LB_KEY_COUNT];
    size_t used;
    char texts[LB_CONFIG_TEXT_MAX];
    const char *name[LB_SOURCES]; /* of a source, for errors: "/etc/lunboot.conf"; NULL: its word */
    struct lb_config_table table;
    uint16_t locked_out[LB_SOURCES]; /* values of a source that do not count: config_lock.c */
};

/* Sets one key; a source earlier than the one that set it before changes nothing, except that `no`
 * stands for `enable`, and words of `require` are added. A value that is locked out changes
 * nothing, and is counted in locked_out. False: *error says what is wrong, and the configuration is
 * unchanged. Secrets do not appear in errors. */
bool lb_config_set(struct lb_config *config, enum lb_config_source source, struct lb_bytes key,
                   struct lb_bytes value, struct lb_error *error);

/* The keys that one source has set so far. Zero it before the source is read. */
struct lb_config_seen {
    struct lb_bytes value[LB_KEY_COUNT]; /* as given, the caller's memory; p is NULL: not yet */
    uint16_t line[LB_KEY_COUNT];
};
/* Sets one key of a source that is read as a whole: a second value that means something else is an
 * error. line: 0 where there are no lines. */
bool lb_config_set_once(struct lb_config *config, struct lb_config_seen *seen,
                        enum lb_config_source source, uint16_t line, struct lb_bytes key,
                        struct lb_bytes value, struct lb_error *error);

/* Lines of `key = value`; empty lines and lines that start with # are passed over. A UTF-8 byte
 * order mark and CR LF are read as what they are; NUL bytes, control characters, bytes that are no
 * UTF-8, unknown keys and keys with two values are errors, and name the line. Nothing of a file
 * with an error may be used: the caller must not boot. */
bool lb_config_file(struct lb_config *config, enum lb_config_source source, struct lb_bytes file,
                    struct lb_error *error);
/* The words `lunboot.key=value` of a kernel command line; a value may be in "double quotes". Words
 * of others are passed over. */
bool lb_config_cmdline(struct lb_config *config, struct lb_bytes line, struct lb_error *error);

/* `lock` and `config-signer` are read before the sources that they are about, those of a signed
 * source first. */

/* Whether all of a source is locked out: it need not be read. */
bool lb_config_is_locked(const struct lb_config *config, enum lb_config_source source);
/* Whether a value of this source may count for this key. Where any source is signed, keys that
 * widen what is allowed are for signed sources. */
bool lb_config_may_set(const struct lb_config *config, enum lb_config_source source,
                       enum lb_key key);
/* Whether a source may say whom to trust (lock, unlocked, config-signer; true of other keys): a
 * file does not vouch for itself, nor for its signature. Where it may not, setting the key is an
 * error. */
bool lb_config_may_trust(enum lb_config_source source, enum lb_key key);
/* Of a kernel command line, only the keys that are about the other sources (lock, unlocked,
 * config-signer). What is wrong with it is said by lb_config_cmdline. */
void lb_config_cmdline_trust(struct lb_config *config, struct lb_bytes line);

/* After all sources have been read: whether what belongs together is there as a whole. A CHAP name
 * needs its secret and a secret its name; the target's secret needs both, for the target proves
 * itself in our login, and the target's name needs its secret. The keys of DHCP are keys, and
 * nothing that they are required for goes without them. A signed file that is required is there.
 * False: *error names the keys, and where they were set. */
bool lb_config_check(const struct lb_config *config, struct lb_error *error);
/* "chap-secret (/etc/lunboot.conf, line 3)", or "chap-secret (kernel command line)". */
void lb_config_where(struct lb_text *text, const struct lb_config *config, enum lb_key key);

/* The CHAP keys that count: what the firmware's table says is not mixed with what others say. A key
 * that does not count reads as not set. */
bool lb_config_has_chap(const struct lb_config *config, enum lb_key key);

/* The next word of a kernel command line, with the quotes that may stand around it or its value;
 * lb_config_unquote takes them away. False: there is none. */
bool lb_config_next_word(struct lb_bytes *line, struct lb_bytes *word);
/* The text without a pair of double quotes around it; without one, as it is. Nothing is copied. */
struct lb_bytes lb_config_unquote(struct lb_bytes text);
/* Zeroes the secrets; they are then not set. */
void lb_config_wipe_secrets(struct lb_config *config);

/* Whether any source has set the key; else reading it gives the default. */
bool lb_config_is_set(const struct lb_config *config, enum lb_key key);
/* The source that set the key; LB_SOURCE_NONE: none. */
enum lb_config_source lb_config_source(const struct lb_config *config, enum lb_key key);

/* Reading. The type must be the key's (a wrong one asserts). Texts are NUL-terminated and live in
 * the configuration, or are constants. */
bool lb_config_bool(const struct lb_config *config, enum lb_key key);
/* A NUMBER, or a DURATION in milliseconds. */
uint32_t lb_config_u32(const struct lb_config *config, enum lb_key key);
/* Of every type, as text, but a SECRET, which asserts; the default where it is not set. */
const char *lb_config_text(const struct lb_config *config, enum lb_key key);
/* SECRET: its bytes, in the configuration; empty when not set. */
struct lb_bytes lb_config_secret(const struct lb_config *config, enum lb_key key);
/* ADDR; no family when not set. */
struct lb_addr lb_config_addr(const struct lb_config *config, enum lb_key key);
/* PREFIX; no family when not set. */
struct lb_prefix lb_config_prefix(const struct lb_config *config, enum lb_key key);
/* BYTES: false when not set, or not exactly room.len bytes. */
bool lb_config_bytes(const struct lb_config *config, enum lb_key key, struct lb_span room);
/* client-arch: true and its number where it is one; false for `auto`, `none` and nothing. */
bool lb_config_arch(const struct lb_config *config, uint16_t *arch);
/* Whether the CHOICES key `require` has this word. */
bool lb_config_requires(const struct lb_config *config, const char *word);

/* The table itself, for help, man page and forms. */
struct lb_key_info {
    const char *word; /* and behind its NUL the other texts, for the functions below */
    uint32_t max;
    uint16_t min;
    uint8_t type; /* enum lb_key_type */
};
const char *lb_key_initial(const struct lb_key_info *info);  /* the default */
const char *lb_key_choices(const struct lb_key_info *info);  /* "a|b|c", of CHOICE and CHOICES */
const char *lb_key_sentence(const struct lb_key_info *info); /* empty in firmware */
/* The key's line of the table; a constant. */
const struct lb_key_info *lb_key_info(enum lb_key key);
/* The key with this word; false: there is none, and *key is untouched. */
bool lb_key_find(struct lb_bytes word, enum lb_key *key);
/* How the value is written, in words: "yes or no", "1..256", "none | prefer | crc32c". */
void lb_key_form(struct lb_text *text, enum lb_key key);

#endif
