/* Drivers for the machine's network cards. A firmware that starts fast has connected only what its
 * boot option needs; to connect everything takes tens of seconds on a server. */
#ifndef LB_UEFI_CONNECT_H
#define LB_UEFI_CONNECT_H

#include "hosts/uefi/uefi.h"

/* Network controllers, what may have some behind it (USB), and platform devices, which are on no
 * bus: the network card of many ARM boards is one. */
void connect_network(void);
/* Every handle there is. */
void connect_all(void);
/* Those of the handles with the protocol, or of all (NULL), that is_wanted says yes to. */
void connect_wanted(EFI_GUID *protocol_or_null, bool (*is_wanted)(EFI_HANDLE));

#endif
