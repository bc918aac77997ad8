/* The interface of the root disk, as files for those who manage the running system's network: so
 * that whoever it is goes on with address, routes, name servers and lease as they are, and never
 * takes the interface down.
 *
 *   systemd/network/05-lunboot.network                  systemd-networkd
 *   NetworkManager/system-connections/lunboot.nmconnection
 *   NetworkManager/devices/INDEX                        NetworkManager: this profile is active
 *   network/interfaces.d/lunboot                        ifupdown, where interfaces(5) sources it
 *   systemd/system.control/networking.service.d, ifup@INTERFACE.service.d
 *                                                       ifupdown's units: not down at shutdown
 *   net-INTERFACE.conf                                  Debian's initramfs scripts; IPv4 alone
 *   initramfs/open-iscsi.interface                      Debian's open-iscsi: ifupdown's hands off
 *
 * All under /run, so that nothing of it outlives this boot. An interface is known by its MAC
 * address, for its name may change after the initramfs; ifupdown knows names alone. */
#ifndef LB_LINUX_NETFILES_H
#define LB_LINUX_NETFILES_H

#include "hosts/linux/routes.h"

struct lb_netfiles {
    const char *interface;
    int index;
    uint8_t mac[6];
    const char *kind; /* of a virtual interface: "vlan", "bond", "bridge"; NULL or "": a card */
    const struct lb_boot_net *net;
    const struct lb_routes *pins; /* routes to the target alone, iface.h; NULL: none */
    struct lb_bytes client_id;    /* that the DHCP server knows us by; empty: none was sent */
    const char *rootpath;         /* "" where there is none */
};

/* The texts. */
void lb_netfiles_networkd(struct lb_text *text, const struct lb_netfiles *from);
/* A keyfile of NetworkManager. */
void lb_netfiles_manager(struct lb_text *text, const struct lb_netfiles *from);
/* NetworkManager's state of the device: it then takes the interface over as it is. A virtual one it
 * leaves alone. */
void lb_netfiles_manager_device(struct lb_text *text, const struct lb_netfiles *from);
/* An interfaces(5) file of ifupdown: `ifdown -a` leaves the interface up. */
void lb_netfiles_ifupdown(struct lb_text *text, const struct lb_netfiles *from);
/* Drop-ins of Debian's networking.service, and of ifup@.service for the interface. They are not in
 * systemd/system: programs take that folder for the sign that systemd runs. */
void lb_netfiles_networking(struct lb_text *text, const struct lb_netfiles *from);
/* The drop-in of ifup@.service: stopping it does nothing. */
void lb_netfiles_ifup(struct lb_text *text);
/* A name as systemd has it in a unit's: "eth0", "br\x2dlan". */
void lb_netfiles_escape(struct lb_text *text, const char *name);
/* The variables that klibc's ipconfig would leave for the interface. */
void lb_netfiles_klibc(struct lb_text *text, const struct lb_netfiles *from);

/* All of them under the folder. False: OUTPUT, of the first that cannot be written. */
bool lb_netfiles_write(const struct lb_netfiles *from, const char *folder, struct lb_error *error);

#endif
