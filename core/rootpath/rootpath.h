/* The Root Path of RFC 4173 section 5, and iSCSI names (RFC 7143 4.2.7, RFC 3722).
 *
 *   iscsi:<servername>:<protocol>:<port>:<LUN>:<targetname>
 *
 * Only the target name is mandatory. Strict, with one exception that targets in the field force on
 * us: `_` in a name is accepted with a warning unless the caller forbids it. Chosen where the RFC
 * is silent: leading zeros in port and protocol, octets with leading zeros, white space, upper-case
 * `ISCSI:` in option 17 are errors. */
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
    LB_WARN_UPPER_CASE = 2, /* the name was mapped to lower case: RFC 3722 */
    LB_WARN_NON_ASCII = 4,  /* compared byte by byte, not by stringprep */
};
const char *lb_rootpath_warning_text(enum lb_rootpath_warning warning);

enum lb_host_kind {
    LB_HOST_NONE, /* blank: the Discovery stage finds the server */
    LB_HOST_ADDR,
    LB_HOST_NAME,
};

/* What is booted where no LUN is given. A Root Path means LUN 0; the key `lun` can say otherwise.
 */
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
    char target[LB_NAME_MAX + 1];  /* normalised: ASCII in lower case */
    unsigned warnings;             /* enum lb_rootpath_warning, or-ed */
};

enum lb_rootpath_flags {
    LB_ROOTPATH_STRICT_NAMES = 1, /* `_` is an error */
    LB_ROOTPATH_URI = 2,          /* option 59: scheme in any case, %XX decoded once (RFC 5970) */
};

/* What is wrong, for programs; `error` says the same for people. */
struct lb_rootpath_where {
    enum lb_rootpath_field field;
    size_t offset; /* byte in the string as given */
};

/* Is this an iSCSI root path at all? One that does not start with `iscsi:` is somebody else's (NFS)
 * and no error. */
bool lb_rootpath_is_iscsi(struct lb_bytes string, unsigned flags);

/* Parses the bytes of option 17 (after RFC 3396 concatenation) or 59; trailing NULs are removed. On
 * failure *rootpath is untouched, *error has the cause, and *where (may be NULL) the place. */
bool lb_rootpath_parse(struct lb_bytes string, unsigned flags, struct lb_rootpath *rootpath,
                       struct lb_rootpath_where *where, struct lb_error *error);
/* The canonical string: blanks where the default applies. */
void lb_rootpath_format(struct lb_text *text, const struct lb_rootpath *rootpath);

/* A host name, an IPv4 address or a [bracketed] IPv6 address (brackets may be missing when `bare`).
 * False leaves the outputs, and sets *offset to the first wrong byte. */
bool lb_host_parse(struct lb_bytes text, bool bare, enum lb_host_kind *kind, struct lb_addr *addr,
                   char name[LB_HOST_MAX + 1], size_t *offset);

/* "4752-3A4F-6b7e-2F99" to eight bytes; false sets *offset to the first wrong byte. */
bool lb_lun_parse(struct lb_bytes text, uint8_t lun[8], size_t *offset);
void lb_lun_format(struct lb_text *text, const uint8_t lun[8]); /* shortest form; LUN 0 is "0" */

/* Checks an iSCSI name and writes it normalised (ASCII lower case). False sets *offset. */
bool lb_iscsi_name_parse(struct lb_bytes text, unsigned flags, char name[LB_NAME_MAX + 1],
                         unsigned *warnings, size_t *offset);

/* iqn.2026-11.org.lunboot:uuid:<32 hex digits> where there is a UUID, else ...:mac:<12 digits>. */
void lb_iscsi_name_default(char name[LB_NAME_MAX + 1], const uint8_t uuid[16],
                           const uint8_t mac[6]);

#endif
