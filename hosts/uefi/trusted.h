/* Whom a configuration is from: the section of the program that its signature covers, the signature
 * of a file, and the TPM, which is told what was read. */
#ifndef LB_UEFI_TRUSTED_H
#define LB_UEFI_TRUSTED_H

#include "core/base/config.h"
#include "hosts/uefi/uefi.h"

/* The lines of the program's section .lunconf (tools/sign-config). EFI_NOT_FOUND: it has none.
 * EFI_LOAD_ERROR: the program is not what it should be. */
EFI_STATUS trusted_section(const EFI_LOADED_IMAGE *loaded, struct lb_bytes *lines);
/* Whether Secure Boot is on: the firmware starts only what is signed. */
bool trusted_by_firmware(void);
/* Whether signature (DER) is config-signer's, of these lines. */
bool trusted_signature(const struct lb_config *config, struct lb_bytes lines,
                       struct lb_bytes signature);
/* Extends PCR 12 of the TPM, where there is one, by the lines' hash; its event log has the name.
 * PCR 12 is zero until then, and others keep configurations in it, too (systemd-stub). */
void trusted_measure(const char *name, struct lb_bytes lines);

#endif
