/* What a person told lunbootd: keys.def has a line a key, and they are checked here, once. */
#ifndef LB_SERVER_SETTINGS_H
#define LB_SERVER_SETTINGS_H

#include "core/base/addr.h"
#include "core/base/limits.h"
#include "core/chap/chap.h"

#define LB_SERVER_PATH_MAX  255
#define LB_SERVER_STATE_MAX 90 /* a folder with a socket in it: its path has at most 107 bytes */

/* Why something cannot be done, and what to try. An empty text: nothing is wrong. */
/* The remedy where a folder cannot be written. */
#define LB_SERVER_STATE_HINT                                                                       \
    "run lunbootd as root, or give a folder that it may write: --state=FOLDER"

struct lb_server_error {
    char what[400];
    char hint[240];
};

/* Sets both, once: the first failure is kept. Gives false, for a caller that returns it. */
bool lb_server_fail(struct lb_server_error *error, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Addresses from first to last; none: not given. */
struct lb_server_range {
    struct lb_addr first, last;
};

/* The values of keys with choices, in the order of keys.def. */
enum lb_server_dhcp_mode {
    LB_SERVER_DHCP_AUTO,
    LB_SERVER_DHCP_SERVER,
    LB_SERVER_DHCP_PROXY,
    LB_SERVER_DHCP_OFF,
};
enum lb_server_dhcp_auth { LB_DHCP_AUTH_OFFER, LB_DHCP_AUTH_REQUIRE };
enum lb_server_dhcp6_mode {
    LB_SERVER_DHCP6_OFF,
    LB_SERVER_DHCP6_SERVER,
    LB_SERVER_DHCP6_STATELESS,
};
enum lb_server_block_size { LB_BLOCK_SIZE_AUTO, LB_BLOCK_SIZE_512, LB_BLOCK_SIZE_4096 };
enum lb_server_writes { LB_WRITES_DIRECT, LB_WRITES_KEEP, LB_WRITES_DROP, LB_WRITES_AS_ALL };
enum lb_server_isns_mode { LB_SERVER_ISNS_OFF, LB_SERVER_ISNS_TARGETS, LB_SERVER_ISNS_OPEN };
enum lb_server_slp_mode { LB_SERVER_SLP_OFF, LB_SERVER_SLP_SERVICE, LB_SERVER_SLP_DIRECTORY };
enum lb_server_unknown { LB_UNKNOWN_SERVE, LB_UNKNOWN_IGNORE };

/* Bytes that nobody is shown; len 0: not given. */
struct lb_server_secret {
    uint8_t bytes[LB_SECRET_MAX];
    size_t len;
};

/* CHAP (RFC 7143 12.1.3): what an initiator logs in with, and how the target proves itself. */
struct lb_server_chap {
    char name[LB_CHAP_NAME_MAX + 1]; /* empty: nothing is asked for */
    struct lb_server_secret secret;
    char target_name[LB_CHAP_NAME_MAX + 1]; /* empty: the name of the target */
    struct lb_server_secret target_secret;  /* len 0: the target does not prove itself */
};

#define LB_SERVER_DHCP_KEYS_MAX 1024

/* Keys of DHCP authentication, as core/base/dhcp_keys.h has them; nobody is shown them. */
struct lb_server_dhcp_keys {
    char text[LB_SERVER_DHCP_KEYS_MAX + 1]; /* empty: none */
};

#define LB_SERVER_SECTIONS_MAX     1024 /* of machines */
#define LB_SERVER_MACHINE_NAME_MAX 48
#define LB_SERVER_IMAGE_MAX        40

/* A section [machine NAME]. */
struct lb_server_machine_settings {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1];
    uint8_t mac[6];   /* zeros: not given */
    uint8_t uuid[16]; /* as in option 97; zeros: not given */
    char disk[LB_SERVER_PATH_MAX + 1];
    char image[LB_SERVER_IMAGE_MAX + 1];
    uint32_t writes; /* enum lb_server_writes */
    struct lb_addr address, address6;
    char initiator[LB_NAME_MAX + 1]; /* empty: any */
    bool has_chap;                   /* else it logs in without, whatever is asked of the others */
    struct lb_server_chap chap;      /* no name: that of all machines */
    bool is_added;                   /* by lunbootctl: it is in no file */
};

enum lb_server_log { LB_LOG_PLAIN, LB_LOG_JSON };
enum lb_server_view { LB_VIEW_AUTO, LB_VIEW_OFF };

#define LB_SERVER_SUBNETS_MAX 32 /* behind relays */

/* A section [subnet NAME]: a network behind a DHCP relay. */
struct lb_server_subnet_settings {
    char name[LB_SERVER_MACHINE_NAME_MAX + 1];
    struct lb_prefix network; /* len 0: not given */
    struct lb_server_range range;
    struct lb_addr router, dns;
    struct lb_prefix network6; /* len 0: not given */
    struct lb_server_range range6;
    struct lb_addr dns6;
};

/* Members as keys.def names them. */
struct lb_server_settings {
    char interface[16];
    char disk[LB_SERVER_PATH_MAX + 1];
    char image[LB_SERVER_IMAGE_MAX + 1];
    char target[LB_NAME_MAX + 1];
    uint32_t writes; /* enum lb_server_writes */
    char state[LB_SERVER_STATE_MAX + 1];
    char overlays[LB_SERVER_PATH_MAX + 1]; /* never empty once the command line was taken */
    uint32_t overlay_mib;
    uint32_t unknown;    /* enum lb_server_unknown */
    uint32_t block_size; /* enum lb_server_block_size */
    bool read_only, removable;
    struct lb_server_chap chap; /* of machines that have none of their own */
    struct lb_chap_algs chap_algs;
    uint32_t port;
    uint32_t memory_mib;
    uint32_t threads; /* 0: one a core */
    uint32_t dhcp;    /* enum lb_server_dhcp_mode */
    struct lb_server_range dhcp_range;
    struct lb_addr router, dns;
    uint32_t lease_s;
    struct lb_server_dhcp_keys dhcp_keys;
    uint32_t dhcp_auth; /* enum lb_server_dhcp_auth */
    bool ipv6;          /* see lb_server_settings_has_ipv6 */
    uint32_t dhcp6;     /* enum lb_server_dhcp6_mode */
    struct lb_server_range dhcp6_range;
    struct lb_addr dns6;
    bool router_advertisements;
    uint32_t router_lifetime_s;
    bool tftp, http;
    uint32_t http_port;
    uint32_t isns; /* enum lb_server_isns_mode */
    uint32_t slp;  /* enum lb_server_slp_mode */
    char files[LB_SERVER_PATH_MAX + 1];
    bool page;
    struct lb_addr page_address;
    uint32_t page_port;
    char page_token[LB_SERVER_PATH_MAX + 1], metrics_token[LB_SERVER_PATH_MAX + 1]; /* files */
    uint32_t log_format; /* enum lb_server_log */
    uint32_t view;       /* enum lb_server_view */
    char user[32];
    bool seccomp;
    struct lb_server_machine_settings machines[LB_SERVER_SECTIONS_MAX];
    size_t machine_count;
    struct lb_server_subnet_settings subnets[LB_SERVER_SUBNETS_MAX];
    size_t subnet_count;
};

/* Every key at its default. */
void lb_server_settings_init(struct lb_server_settings *settings);
/* Sets one key. where: who says so ("the command line", "lunbootd.conf:3"), for the error. */
bool lb_server_settings_set(struct lb_server_settings *settings, struct lb_bytes word,
                            struct lb_bytes value, const char *where,
                            struct lb_server_error *error);
/* The text of a lunbootd.conf: lines `key = value`, sections [machine NAME] and [subnet NAME],
 * comments from #. name: the file's, for errors. */
bool lb_server_settings_read(struct lb_server_settings *settings, struct lb_bytes text,
                             const char *name, struct lb_server_error *error);
/* The command line: --config=FILE first, then --word=value, --word for yes, and one word without
 * dashes, the disk. */
bool lb_server_settings_take(struct lb_server_settings *settings, int argc, char **argv,
                             struct lb_server_error *error);
/* Who may see and change the file: one with secrets is its owner's alone, and others may write none
 * of them. mode, owner: of the file; own: the user that lunbootd runs as. False: see error. */
bool lb_server_settings_is_closed(const struct lb_server_settings *settings, const char *name,
                                  uint32_t mode, uint32_t owner, uint32_t own,
                                  struct lb_server_error *error);
struct lb_server_disk_choice {
    const char *disk, *image;
};
/* The disk and the image of a machine, of which one is empty; section: NULL for one without. Both
 * are empty: it has none. */
struct lb_server_disk_choice
lb_server_settings_disk(const struct lb_server_settings *settings,
                        const struct lb_server_machine_settings *section);
/* Whether some machine writes over its disk, and not to it. */
bool lb_server_settings_has_overlays(const struct lb_server_settings *settings);
/* Whether IPv6 is served: somebody asks for it, or for what needs it. */
bool lb_server_settings_has_ipv6(const struct lb_server_settings *settings);
/* What belongs together is there. */
bool lb_server_settings_check(const struct lb_server_settings *settings,
                              struct lb_server_error *error);
/* The first key of all machines whose value differs, and that is not in may_differ, a list with
 * commas; NULL: there is none. */
const char *lb_server_settings_difference(const struct lb_server_settings *a,
                                          const struct lb_server_settings *b,
                                          const char *may_differ);
/* The same of two sections. */
const char *lb_server_section_difference(const struct lb_server_machine_settings *a,
                                         const struct lb_server_machine_settings *b,
                                         const char *may_differ);
struct lb_store_section;
/* Adds one machine, by its section. False: see error, and nothing is changed. */
bool lb_server_settings_add(struct lb_server_settings *settings,
                            const struct lb_store_section *section, const char *where,
                            struct lb_server_error *error);
/* Takes a machine's section out. False: there is none of this name that lunbootctl has added. */
bool lb_server_settings_forget(struct lb_server_settings *settings, const char *name,
                               struct lb_server_error *error);
/* A key as documents show it; the texts are keys.def's own. */
struct lb_server_key_info {
    const char *word;
    char form[64];        /* what its values are, as --help shows it: yes|no, NUMBER */
    const char *choices;  /* a|b, of a key with choices; empty: it has none */
    const char *standard; /* the default; empty: none */
    const char *sentence; /* what it is for */
    bool is_path;         /* a file or a folder */
};

/* Of the whole server, of a section [machine NAME], of a section [subnet NAME]. */
enum lb_server_keys { LB_KEYS_OF_SERVER, LB_KEYS_OF_MACHINE, LB_KEYS_OF_SUBNET };
/* The key of that number (from 0). False: there is none. */
bool lb_server_settings_key(enum lb_server_keys of, size_t number, struct lb_server_key_info *key);
/* Adds a line or two for each key of all machines: --word=, its sentence, its default. */
void lb_server_settings_help(struct lb_text *text);
/* The same of the keys of a section [machine NAME]. */
void lb_server_settings_help_machine(struct lb_text *text);
/* The same of the keys of a section [subnet NAME]. */
void lb_server_settings_help_subnet(struct lb_text *text);

#endif
