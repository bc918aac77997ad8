#include "hosts/uefi/table.h"
#include "core/ibft/ibft.h"
#include "hosts/uefi/loop.h"

struct acpi_table {
    EFI_STATUS(EFIAPI *install)(struct acpi_table *, void *, UINTN, UINTN *);
    EFI_STATUS(EFIAPI *uninstall)(struct acpi_table *, UINTN);
};

static EFI_GUID acpi_guid = {
    0xffe06bdd, 0x6107, 0x46a6, {0x7b, 0xb2, 0x5a, 0x9c, 0x7e, 0xc5, 0x27, 0x5c}};
static EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static EFI_GUID pci_guid = EFI_PCI_IO_PROTOCOL_GUID;

static UINTN table_key;
static bool is_installed;

/* Where the card is: bus << 8 | device << 3 | function; 0 if it is no PCI card of segment 0. */
static uint16_t pci_location(EFI_HANDLE card) {
    EFI_DEVICE_PATH *path = NULL;
    EFI_PCI_IO_PROTOCOL *pci = NULL;
    EFI_HANDLE device = NULL;
    UINTN segment = 0, bus = 0, number = 0, function = 0;
    if (EFI_ERROR(bs->HandleProtocol(card, &path_guid, (void **)&path)) ||
        EFI_ERROR(bs->LocateDevicePath(&pci_guid, &path, &device)) ||
        EFI_ERROR(bs->HandleProtocol(device, &pci_guid, (void **)&pci)) ||
        EFI_ERROR(pci->GetLocation(pci, &segment, &bus, &number, &function)) || segment != 0)
        return 0;
    return (uint16_t)(bus << 8 | number << 3 | function);
}

static enum lb_ibft_origin origin_of(enum local_origin origin) {
    switch (origin) {
    case LOCAL_MANUAL:
        return LB_IBFT_MANUAL;
    case LOCAL_DHCP:
        return LB_IBFT_DHCP;
    case LOCAL_ROUTER:
        return LB_IBFT_ROUTER;
    }
    return LB_IBFT_OTHER;
}

static void fill_nic(struct lb_ibft_nic *nic) {
    const struct lb_boot_net *net = lb_boot_net(loop_engine());
    struct local_end end = loop_local_end();
    nic->address = end.addr;
    nic->prefix_len = end.prefix_len;
    nic->origin = origin_of(end.origin);
    nic->dhcp = end.dhcp;
    nic->gateway = end.gateway;
    memcpy(nic->dns, end.dns, sizeof nic->dns);
    memcpy(nic->mac, loop_nic()->mac, sizeof nic->mac);
    memcpy(nic->hostname, net->hostname, sizeof nic->hostname);
    nic->pci = pci_location(loop_nic()->handle);
}

static size_t copy_secret(uint8_t out[LB_SECRET_MAX], struct lb_bytes secret) {
    size_t len = LB_MIN(secret.len, (size_t)LB_SECRET_MAX);
    memcpy(out, secret.p, len);
    return len;
}

static void fill_target(const struct lb_config *config, struct lb_ibft_target *out) {
    const struct lb_rootpath *target = lb_boot_target(loop_engine());
    const struct lb_initiator_agreed *agreed = lb_initiator_agreed(lb_boot_session(loop_engine()));
    out->portal = lb_initiator_home(lb_boot_session(loop_engine()));
    memcpy(out->lun, target->lun, sizeof out->lun);
    memcpy(out->name, target->target, sizeof out->name);
    out->chap = agreed->mutual ? LB_IBFT_MUTUAL : agreed->chap ? LB_IBFT_CHAP : LB_IBFT_NO_CHAP;
    if (!agreed->chap)
        return;
    lb_format(out->chap_name, sizeof out->chap_name, "%s",
              lb_config_text(config, LB_KEY_CHAP_NAME));
    lb_format(out->reverse_name, sizeof out->reverse_name, "%s",
              lb_config_text(config, LB_KEY_CHAP_TARGET_NAME));
    out->chap_secret_len =
        copy_secret(out->chap_secret, lb_config_secret(config, LB_KEY_CHAP_SECRET));
    out->reverse_secret_len =
        copy_secret(out->reverse_secret, lb_config_secret(config, LB_KEY_CHAP_TARGET_SECRET));
}

/* Where the target is spoken to through IPsec, the operating system is to do so, too. */
static void fill_ipsec(const struct lb_config *config, struct lb_ibft_ipsec *out) {
    if (!lb_shield_covers(&loop_engine()->shield, false))
        return;
    out->is_there = true;
    out->is_transport = lb_streq(lb_config_text(config, LB_KEY_IPSEC_MODE), "transport");
    out->psk_len = copy_secret(out->psk, lb_config_secret(config, LB_KEY_IPSEC_PSK));
    lb_format(out->id, sizeof out->id, "%s", lb_config_text(config, LB_KEY_IPSEC_ID));
    lb_format(out->peer_id, sizeof out->peer_id, "%s",
              lb_config_text(config, LB_KEY_IPSEC_PEER_ID));
}

/* What else was required of the session, the operating system is to require, too. The server that
 * was used is allowed by its address: a name on the list does not say so. Where there are keys,
 * DHCP without a proof was passed over, whether it was required or not. */
static void fill_policy(const struct lb_config *config, struct lb_ibft_policy *out) {
    static const char *const words[] = {"header-digest", "data-digest", "address"};
    const char *servers = lb_config_text(config, LB_KEY_ALLOW_SERVER);
    struct lb_text require = lb_text(out->require, sizeof out->require);
    struct lb_addr server = lb_initiator_home(lb_boot_session(loop_engine())).addr;
    if (lb_config_requires(config, "dhcp-auth") || lb_config_is_set(config, LB_KEY_DHCP_KEYS))
        lb_text_add(&require, "dhcp-auth");
    for (size_t i = 0; i < LB_COUNT(words); i++)
        if (lb_config_requires(config, words[i]))
            lb_text_add(&require, "%s%s", require.len > 0 ? "," : "", words[i]);
    if (servers[0] != '\0')
        lb_format(out->allow_server, sizeof out->allow_server, "%s,%s", lb_addr_text(server).s,
                  servers);
    lb_format(out->allow_target, sizeof out->allow_target, "%s",
              lb_config_text(config, LB_KEY_ALLOW_TARGET));
    out->is_there = require.len > 0 || servers[0] != '\0' || out->allow_target[0] != '\0';
}

EFI_STATUS table_install(const struct lb_config *config) {
    struct acpi_table *acpi = NULL;
    size_t len = 0;
    if (EFI_ERROR(bs->LocateProtocol(&acpi_guid, NULL, (void **)&acpi)))
        return EFI_UNSUPPORTED;
    struct lb_ibft *ibft = uefi_alloc(sizeof *ibft);
    uint8_t *room = uefi_alloc(LB_IBFT_MAX);
    EFI_STATUS status = EFI_OUT_OF_RESOURCES;
    if (ibft != NULL && room != NULL) {
        ibft->nic_count = ibft->target_count = 1;
        lb_format(ibft->initiator, sizeof ibft->initiator, "%s", lb_boot_initiator(loop_engine()));
        struct lb_boot_servers servers = lb_boot_servers(loop_engine());
        ibft->isns = servers.isns;
        ibft->slp = servers.slp;
        fill_nic(&ibft->nics[0]);
        fill_target(config, &ibft->targets[0]);
        fill_ipsec(config, &ibft->ipsec);
        fill_policy(config, &ibft->policy);
        status = lb_ibft_encode(ibft, lb_span(room, LB_IBFT_MAX), &len)
                     ? acpi->install(acpi, room, len, &table_key)
                     : EFI_INVALID_PARAMETER;
        is_installed = !EFI_ERROR(status);
        lb_wipe(ibft, sizeof *ibft); /* ACPI has its own copy */
        lb_wipe(room, LB_IBFT_MAX);
    }
    uefi_free(ibft);
    uefi_free(room);
    return status;
}

void table_remove(void) {
    struct acpi_table *acpi = NULL;
    if (is_installed && !EFI_ERROR(bs->LocateProtocol(&acpi_guid, NULL, (void **)&acpi)))
        acpi->uninstall(acpi, table_key);
    is_installed = false;
}
