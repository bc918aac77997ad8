/* The Root Path of RFC 4173 section 5, and iSCSI names (RFC 7143 4.2.7, RFC 3722).
 *
 *   iscsi:<servername>:<protocol>:<port>:<LUN>:<targetname>
 *
 * Only the target name is mandatory. As lenient as the clients that people have had before, where
 * nothing depends on it, each time with a warning: `iscsi:` in any case, blanks, line ends or
 * quotes around the whole string, the protocol `tcp`, the zone of a link-local address, `_` in a
 * name. What else is wrong is an error that says what was probably meant (rootpath_near.c).
 *
 * A name goes on the wire as it was given, and names are compared without regard to case (ASCII).
 * Letters beyond ASCII are not normalised (RFC 3722): they pass, and are compared byte by byte. */
#ifndef LB_ROOTPATH_H
#define LB_ROOTPATH_H

#include "core/base/addr.h"
#include "core/base/error.h"
#include "core/base/limits.h"

#define LB_ISCSI_PORT 3260 /* RFC 7143 14 */

/* Where a string is wrong. */
enum lb_rootpath_field {
    LB_FIELD_PREFIX,
    LB_FIELD_SERVERNAME,
    LB_FIELD_PROTOCOL,
    LB_FIELD_PORT,
    LB_FIELD_LUN,
    LB_FIELD_TARGETNAME,
};
const char *lb_rootpath_field_word(enum lb_rootpath_field field); /* "servername", ... */

enum lb_rootpath_warning {
    LB_WARN_UNDERSCORE = 1, /* `_` in the target name: RFC 3722 6.2 prohibits it */
    LB_WARN_UPPER_CASE = 2, /* capitals in the target name, which RFC 3722 maps to lower case */
    LB_WARN_NON_ASCII = 4,  /* compared byte by byte, not by stringprep */
    LB_WARN_NAME_FORM = 8,  /* RFC 7143 4.2.7 has no such name: LB_ROOTPATH_ANY_NAMES */
    LB_WARN_BLANKS = 16,    /* blanks or line ends around the string were left out */
    LB_WARN_QUOTES = 32,    /* quotes around the string were left out */
    LB_WARN_PREFIX = 64,    /* `iscsi:` is not in lower case */
    LB_WARN_PROTOCOL = 128, /* `tcp` in the place of 6 */
    LB_WARN_ZONE = 256,     /* the zone index of a link-local address was left out */
    LB_WARN_LAST = LB_WARN_ZONE,
};
/* One clause for the report; a constant. */
const char *lb_rootpath_warning_text(enum lb_rootpath_warning warning);

enum lb_host_kind {
    LB_HOST_NONE, /* blank: the Discovery stage finds the server */
    LB_HOST_ADDR,
    LB_HOST_NAME,
};

/* What is booted where no LUN is given. A Root Path means LUN 0; the key `lun` can say
 * otherwise. */
enum lb_lun_choice {
    LB_LUN_AS_GIVEN, /* `lun` of the Root Path */
    LB_LUN_ANY,      /* the only LUN that is a disk */
    LB_LUN_FIRST,    /* the first LUN that is a disk: others attach all, and know which they want */
};

struct lb_rootpath {
    enum lb_host_kind host;
    struct lb_addr addr;        /* LB_HOST_ADDR */
    char name[LB_HOST_MAX + 1]; /* LB_HOST_NAME */
    uint16_t port;              /* 0: blank, LB_ISCSI_PORT */
    uint8_t lun[8];             /* as in BHS bytes 8-15; blank gives zeros */
    bool lun_given;
    enum lb_lun_choice lun_choice; /* of a boot that found its LUN: AS_GIVEN */
    char target[LB_NAME_MAX + 1];  /* as given */
    unsigned warnings;             /* enum lb_rootpath_warning, or-ed */
};

enum lb_rootpath_flags {
    LB_ROOTPATH_STRICT_NAMES = 1, /* `_` is an error */
    LB_ROOTPATH_URI = 2,          /* option 59: %XX is decoded once (RFC 5970) */
    LB_ROOTPATH_ANY_NAMES = 4,    /* names that RFC 7143 4.2.7 forbids and targets have */
};

/* What is wrong, for programs; `error` says the same for people. */
struct lb_rootpath_where {
    enum lb_rootpath_field field;
    size_t offset; /* byte in the string as given */
};

/* Is this meant to be an iSCSI root path? Also one that is nearly one, such as a target name alone,
 * so that it is told at once. Others are somebody else's (NFS) and no error. */
bool lb_rootpath_is_iscsi(struct lb_bytes string, unsigned flags);

/* Parses the bytes of option 17 (after RFC 3396 concatenation) or 59; trailing NULs are removed. On
 * failure *rootpath is untouched, *error has the cause, and *where (may be NULL) the place. */
bool lb_rootpath_parse(struct lb_bytes string, unsigned flags, struct lb_rootpath *rootpath,
                       struct lb_rootpath_where *where, struct lb_error *error);
/* The canonical string: blanks where the default applies. */
void lb_rootpath_format(struct lb_text *text, const struct lb_rootpath *rootpath);

/* A host name, an IPv4 address or a [bracketed] IPv6 address (brackets may be missing when `bare`).
 * The zone index of a link-local address (%eth0) is left out: the interface is the boot's. False
 * leaves the outputs, and sets *offset to the first wrong byte. */
bool lb_host_parse(struct lb_bytes text, bool bare, enum lb_host_kind *kind, struct lb_addr *addr,
                   char name[LB_HOST_MAX + 1], size_t *offset);

/* HOST[:PORT]: an address or a name, and the port, which is 0 where none was given. */
struct lb_host_port {
    enum lb_host_kind kind; /* ADDR or NAME */
    struct lb_endpoint at;  /* NAME: the port alone */
    char name[LB_HOST_MAX + 1];
};
/* ADDRESS, ADDRESS:PORT, [IPv6], [IPv6]:PORT, NAME or NAME:PORT, as targets and people write them.
 * A name may hold `_`. False leaves *host_port. */
bool lb_host_port_parse(struct lb_bytes text, struct lb_host_port *host_port);

/* "4752-3A4F-6b7e-2F99" to eight bytes; false sets *offset to the first wrong byte. */
bool lb_lun_parse(struct lb_bytes text, uint8_t lun[8], size_t *offset);
/* Adds a LUN as a Root Path has it, in hexadecimal, in its shortest form: LUN 0 is "0". */
void lb_lun_format(struct lb_text *text, const uint8_t lun[8]);
/* Adds a LUN as people count it: "16"; "0x0102" in other addressing methods; 16 hex digits when it
 * has more levels. */
void lb_lun_format_number(struct lb_text *text, const uint8_t lun[8]);
/* Adds the number, and behind it the Root Path's form where that differs, with a label before it:
 * "16 (Root Path: 10)". True: it differs, so that a list need not repeat the label. */
bool lb_lun_format_both(struct lb_text *text, const uint8_t lun[8], const char *label);
struct lb_lun_text {
    char s[64];
};
/* That text by itself, for every message that names a LUN: "1", "16 (Root Path: 10)". */
struct lb_lun_text lb_lun_text(const uint8_t lun[8]);

/* Decodes every %XX of RFC 3986 2.1 once, into room, which has text.len bytes and may be where text
 * is. A `%` that begins none is kept: no field allows it, and it is reported where it stands. */
struct lb_bytes lb_percent_decode(struct lb_bytes text, uint8_t *room);

/* Checks an iSCSI name, and copies it as it is. With LB_ROOTPATH_ANY_NAMES it need not have the
 * form of RFC 7143 4.2.7, and may hold `_+=@`; what a shell, a kernel command line or a terminal
 * would obey is refused all the same. False sets *offset. */
bool lb_iscsi_name_parse(struct lb_bytes text, unsigned flags, char name[LB_NAME_MAX + 1],
                         unsigned *warnings, size_t *offset);

/* Whether two names are the same: ASCII without regard to case, the rest byte by byte. */
bool lb_iscsi_names_equal(const char *a, const char *b);

/* iqn.2026-11.org.lunboot:uuid:<32 hex digits> where there is a UUID, else ...:mac:<12 digits>. */
void lb_iscsi_name_default(char name[LB_NAME_MAX + 1], const uint8_t uuid[16],
                           const uint8_t mac[6]);

#endif
