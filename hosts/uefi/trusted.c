#include "hosts/uefi/trusted.h"
#include "core/trust/trust.h"

EFI_STATUS trusted_section(const EFI_LOADED_IMAGE *loaded, struct lb_bytes *lines) {
    switch (lb_trust_section(lb_bytes(loaded->ImageBase, loaded->ImageSize), lines)) {
    case LB_TRUST_NONE:
        return EFI_NOT_FOUND;
    case LB_TRUST_FOUND:
        return EFI_SUCCESS;
    case LB_TRUST_DAMAGED:
        break;
    }
    return EFI_LOAD_ERROR;
}

bool trusted_by_firmware(void) {
    static CHAR16 name[] = L"SecureBoot"; /* UEFI 2.10 3.3: it is 0 in setup mode */
    EFI_GUID global = EFI_GLOBAL_VARIABLE;
    uint8_t is_on = 0;
    UINTN size = sizeof is_on;
    return !EFI_ERROR(st->RuntimeServices->GetVariable(name, &global, NULL, &size, &is_on)) &&
           is_on == 1;
}

bool trusted_signature(const struct lb_config *config, struct lb_bytes lines,
                       struct lb_bytes signature) {
    uint8_t signer[LB_TRUST_SIGNER_BYTES];
    return lb_config_bytes(config, LB_KEY_CONFIG_SIGNER, lb_span(signer, sizeof signer)) &&
           lb_trust_verify(signer, lines, signature);
}

/* ---- the TPM: TCG EFI Protocol Specification, family 2.0 ---- */

#define CONFIG_PCR   12
#define EV_IPL       0x0d /* the data is for people */
#define HEADER_BYTES 14
#define NAME_MAX     120

struct tcg2 {
    void *get_capability, *get_event_log;
    EFI_STATUS(EFIAPI *hash_log_extend)
    (struct tcg2 *self, UINT64 flags, UINT64 data, UINT64 data_len, const uint8_t *event);
};

void trusted_measure(const char *name, struct lb_bytes lines) {
    EFI_GUID guid = {0x607f766c, 0x7455, 0x42be, {0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f}};
    uint8_t event[4 + HEADER_BYTES + NAME_MAX];
    struct tcg2 *tpm = NULL;
    struct lb_wr wr = lb_wr(lb_span(event, sizeof event));
    if (EFI_ERROR(bs->LocateProtocol(&guid, NULL, (void **)&tpm)))
        return;
    lb_wr_u32le(&wr, 0); /* the event's size: below */
    lb_wr_u32le(&wr, HEADER_BYTES);
    lb_wr_u16le(&wr, 1); /* the header's version */
    lb_wr_u32le(&wr, CONFIG_PCR);
    lb_wr_u32le(&wr, EV_IPL);
    lb_wr_bytes(&wr, lb_bytes(name, LB_MIN(lb_strlen(name), NAME_MAX)));
    event[0] = (uint8_t)wr.len;
    EFI_STATUS status = tpm->hash_log_extend(tpm, 0, (UINT64)(uintptr_t)lines.p, lines.len, event);
    if (EFI_ERROR(status))
        say("%s: TPM: %s\n", name, status_word(status));
}
