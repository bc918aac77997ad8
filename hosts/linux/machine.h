/* What this machine is: its UUID, a MAC address to tell it from others. */
#ifndef LB_LINUX_MACHINE_H
#define LB_LINUX_MACHINE_H

#include "core/base/text.h"

/* The SMBIOS UUID, in the order of its text; zero where it cannot be read (it takes root). */
void lb_machine_uuid(uint8_t uuid[16]);
/* The MAC address of its first Ethernet interface; zero where there is none. */
void lb_machine_mac(uint8_t mac[6]);
/* The name of the Ethernet interface with this MAC address; false: there is none. */
bool lb_machine_interface_of(const uint8_t mac[6], char *name, size_t cap);
/* Adds the names of the Ethernet interfaces that there are, with commas; or "none". */
void lb_machine_list_interfaces(struct lb_text *text);
/* A MAC address in one of the forms of the field: with colons or dashes, or digits alone; of 20
 * characters, PXELINUX's with the hardware type in front. */
bool lb_machine_parse_mac(struct lb_bytes text, uint8_t mac[6]);
/* Whether the interface has an address with which it can be spoken to. */
bool lb_machine_has_address(const char *interface);
/* Whether this is the first root file system, before the real one: systemd's mark of an
 * initramfs. */
bool lb_machine_is_initramfs(void);

#endif
