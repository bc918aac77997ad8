/* What a machine that asks DHCP would boot, by what it says of itself. */
#ifndef LB_SERVER_BOOT_FILE_H
#define LB_SERVER_BOOT_FILE_H

#include "core/base/addr.h"
#include "server/folder.h"
#include "server/machines.h"

/* Who asks (RFC 4578, RFC 3004; EDK2 for HTTP). */
enum lb_server_requester {
    LB_REQUESTER_OTHER, /* no firmware: an operating system, an initramfs */
    LB_REQUESTER_PXE,
    LB_REQUESTER_HTTP,
    LB_REQUESTER_INITIATOR, /* a firmware's own iSCSI initiator (EDK2's): it wants the disk alone */
};

struct lb_server_boot_file {
    enum lb_server_requester requester;
    const char *machine; /* "UEFI x64"; empty: it does not say */
    const char *file;    /* for it; NULL: there is none */
    const char *missing; /* the file for it, where it is not served; NULL: it is */
    bool is_ipxe;        /* it boots the disk itself */
};

struct lb_dhcp4_message;
struct lb_dhcp6_message;
/* What a request's machine would boot. */
struct lb_server_boot_file lb_server_boot_file(const struct lb_dhcp4_message *request);
/* The same of DHCPv6: options 15, 16 and 61 (RFC 8415 21.15, 21.16; RFC 5970 3.3). */
struct lb_server_boot_file lb_server_boot_file6(const struct lb_dhcp6_message *request);
/* Leaves out a file that nothing serves (it is `missing` then), and that of a machine without a
 * disk. */
void lb_server_boot_file_settle(struct lb_server_boot_file *boot,
                                const struct lb_server_settings *settings,
                                const struct lb_server_folder *folder,
                                const struct lb_server_machine *machine);
/* The Root Path of the machine's disk, as it is reached at this address of ours; written into room.
 * Empty where machine is NULL: it gets no disk. */
struct lb_bytes lb_server_boot_root_path(const struct lb_server_machine *machine,
                                         struct lb_addr here, uint32_t port, struct lb_span room);
/* What to try where `missing` is. */
extern const char lb_server_boot_file_hint[];
/* What to try where a machine does not ask for authentication. */
extern const char lb_server_dhcp_auth_hint[];
/* Adds what is told of an answer. protocol: by which the address `given` is given; none: another
 * server gives it. machine: NULL for one that gets no disk. */
void lb_server_boot_file_tell(struct lb_text *text, const struct lb_server_boot_file *boot,
                              const char *protocol, struct lb_addr given,
                              const struct lb_server_machine *machine);

#endif
