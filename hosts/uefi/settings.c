#include "hosts/uefi/settings.h"
#include "core/crypto/crypto.h"
#include "core/trust/trust.h"
#include "hosts/uefi/file.h"
#include "hosts/uefi/options.h"
#include "hosts/uefi/origin.h"
#include "hosts/uefi/trusted.h"
#include "hosts/uefi/variable.h"

#define CONF_NAME "lunboot.conf"
#define SIG_NAME  CONF_NAME ".sig"
#define CONF_MAX  16384 /* what is longer is refused, not cut */

static EFI_GUID loaded_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;

static EFI_LOADED_IMAGE *image(void) {
    EFI_LOADED_IMAGE *loaded = NULL;
    return EFI_ERROR(bs->HandleProtocol(self, &loaded_guid, (void **)&loaded)) ? NULL : loaded;
}

/* What is there and cannot be read may forbid this boot: without it nothing is booted. */
static bool cannot_read(struct lb_error *error, const char *name, EFI_STATUS status) {
    if (status == EFI_BUFFER_TOO_SMALL)
        lb_fail(error, LB_E_CONFIG_FILE, "%s: it is longer than %u bytes", name, CONF_MAX);
    else
        lb_fail(error, LB_E_CONFIG_FILE, "%s: %s%s", name, status_word(status),
                status == EFI_TIMEOUT || status == EFI_TFTP_ERROR
                    ? "; where there is nothing to say, an empty file is enough"
                    : "");
    return false;
}

/* A source that is there, and does not count as a whole. */
static bool is_locked(const struct lb_config *config, enum lb_config_source source,
                      const char *name) {
    if (!lb_config_is_locked(config, source))
        return false;
    say("%s is passed over: lock is yes\n", name);
    return true;
}

/* The lines of a source that was read, or of one that is not there. */
static bool use(struct lb_config *config, enum lb_config_source source, const char *name,
                EFI_STATUS status, struct lb_bytes lines, struct lb_error *error) {
    struct lb_error inner = {.code = LB_OK};
    if (status == EFI_NOT_FOUND || (lb_config_is_locked(config, source) && EFI_ERROR(status)))
        return true;
    if (EFI_ERROR(status))
        return cannot_read(error, name, status);
    if (is_locked(config, source, name))
        return true;
    config->name[source] = name;
    trusted_measure(name, lines);
    if (!lb_config_file(config, source, lines, &inner)) {
        lb_fail(error, inner.code, "%s, %s", name, inner.facts);
        return false;
    }
    if (config->locked_out[source] > 0)
        say("%s: %u values are locked out\n", name, config->locked_out[source]);
    return true;
}

/* ---- the program's own ---- */

static bool from_section(struct lb_config *config, const EFI_LOADED_IMAGE *loaded,
                         struct lb_error *error) {
    struct lb_bytes lines = {0};
    EFI_STATUS status = trusted_section(loaded, &lines);
    if (!EFI_ERROR(status))
        say("configuration in the program, Secure Boot is %s\n",
            trusted_by_firmware() ? "on" : "off");
    return use(config, LB_SOURCE_SIGNED, "." LB_TRUST_SECTION, status, lines, error);
}

/* ---- lunboot.conf ---- */

/* Where it is: a path on the program's volume, or at the TFTP server's. */
struct place {
    EFI_HANDLE volume;                  /* NULL: by TFTP */
    CHAR16 path[FILE_NAME_MAX + 4];     /* room for .sig */
    char name[3 * (FILE_NAME_MAX + 4)]; /* for people; a CHAR16 may be three bytes */
};
static struct place place;

static void set_name(const char *by_tftp) {
    struct lb_text text = lb_text(place.name, sizeof place.name);
    if (place.volume == NULL)
        lb_text_add(&text, "%s by TFTP", by_tftp);
    for (size_t i = 0; place.volume != NULL && place.path[i] != 0; i++)
        lb_text_add(&text, "%c", place.path[i] < 0x7f ? (char)place.path[i] : '?');
}

static EFI_STATUS load_from_disk(EFI_LOADED_IMAGE *loaded, uint8_t *room, size_t *len) {
    static const CHAR16 *const others[] = {L"\\EFI\\lunboot\\"
                                           L"lunboot.conf",
                                           L"\\lunboot.conf"};
    EFI_STATUS status = EFI_NOT_FOUND;
    place.volume = loaded->DeviceHandle;
    if (file_beside(loaded->FilePath, L"lunboot.conf", place.path))
        status = file_load(place.volume, place.path, room, CONF_MAX, len);
    for (size_t i = 0; i < LB_COUNT(others) && status == EFI_NOT_FOUND; i++) {
        size_t chars = 0;
        do
            place.path[chars] = others[i][chars];
        while (others[i][chars++] != 0);
        status = file_load(place.volume, place.path, room, CONF_MAX, len);
    }
    return status;
}

/* The file, and what people call it. By TFTP only where it can count. */
static EFI_STATUS load_file(const struct lb_config *config, EFI_LOADED_IMAGE *loaded, uint8_t *room,
                            size_t *len) {
    EFI_STATUS status = load_from_disk(loaded, room, len);
    if (status == EFI_NOT_FOUND && (lb_config_is_set(config, LB_KEY_CONFIG_SIGNER) ||
                                    !lb_config_is_locked(config, LB_SOURCE_FILE))) {
        place.volume = NULL;
        status = origin_load(CONF_NAME, room, CONF_MAX, len);
    }
    set_name(CONF_NAME);
    return status;
}

static EFI_STATUS load_signature(uint8_t *room, size_t *len) {
    size_t end = 0;
    if (place.volume == NULL) {
        EFI_STATUS status = origin_load(SIG_NAME, room, LB_TRUST_SIGNATURE_MAX, len);
        if (!EFI_ERROR(status) && *len >= 2 && *len < 2u + room[1] &&
            2u + room[1] <= LB_TRUST_SIGNATURE_MAX)
            *len = 2u + room[1]; /* DER says its length; see origin_load of zeros at the end */
        return status;
    }
    while (place.path[end] != 0)
        end++;
    for (size_t i = 0; i < 5; i++)
        place.path[end + i] = L".sig"[i];
    return file_load(place.volume, place.path, room, LB_TRUST_SIGNATURE_MAX, len);
}

/* With config-signer only a signed file counts. One without a signature is as one that is not
 * there; a signature that is wrong ends the boot, for somebody changed what the signer wrote. */
static bool use_signed(struct lb_config *config, struct lb_bytes lines, struct lb_error *error) {
    uint8_t signature[LB_TRUST_SIGNATURE_MAX];
    size_t len = 0;
    EFI_STATUS status = load_signature(signature, &len);
    if (status == EFI_NOT_FOUND) {
        say("%s is passed over: it has no signature\n", place.name);
        return true;
    }
    if (EFI_ERROR(status))
        return cannot_read(error, SIG_NAME, status);
    if (trusted_signature(config, lines, lb_bytes(signature, len))) {
        say("%s has a valid signature\n", place.name);
        return use(config, LB_SOURCE_VERIFIED, place.name, EFI_SUCCESS, lines, error);
    }
    lb_fail(error, LB_E_CONFIG_SIGNATURE, "%s: " SIG_NAME " is not its signature", place.name);
    return false;
}

static bool from_file(struct lb_config *config, EFI_LOADED_IMAGE *loaded, struct lb_error *error) {
    uint8_t *room = uefi_alloc(CONF_MAX);
    size_t len = 0;
    bool ok;
    if (room == NULL)
        return cannot_read(error, CONF_NAME, EFI_OUT_OF_RESOURCES);
    EFI_STATUS status = load_file(config, loaded, room, &len);
    if (!EFI_ERROR(status) && lb_config_is_set(config, LB_KEY_CONFIG_SIGNER))
        ok = use_signed(config, lb_bytes(room, len), error);
    else
        ok = use(config, LB_SOURCE_FILE, place.name, status, lb_bytes(room, len), error);
    uefi_free(room);
    return ok;
}

/* ---- the variable ---- */

static bool from_variable(struct lb_config *config, struct lb_error *error) {
    uint8_t *room = uefi_alloc(CONF_MAX);
    size_t len = 0;
    const char *name = VARIABLE_NAME;
    if (room == NULL)
        return cannot_read(error, name, EFI_OUT_OF_RESOURCES);
    EFI_STATUS status = variable_load(room, CONF_MAX, &len, &name);
    bool ok = use(config, LB_SOURCE_FIRMWARE, name, status, lb_bytes(room, len), error);
    if (ok && !EFI_ERROR(status))
        variable_hide(lb_bytes(room, len));
    uefi_free(room);
    return ok;
}

/* ---- load options ---- */

static bool use_options(struct lb_config *config, struct lb_bytes line, struct lb_error *error) {
    struct lb_error inner = {.code = LB_OK};
    config->name[LB_SOURCE_OPTION] = "load options";
    trusted_measure("load options", line);
    if (options_set(config, line, &inner))
        return true;
    lb_fail(error, inner.code, "load options: %s", inner.facts);
    return false;
}

static bool from_options(struct lb_config *config, const EFI_LOADED_IMAGE *loaded,
                         struct lb_error *error) {
    static uint8_t room[OPTIONS_MAX];
    struct lb_bytes line = {0};
    struct lb_bytes raw =
        lb_bytes(loaded->LoadOptions, loaded->LoadOptions == NULL ? 0 : loaded->LoadOptionsSize);
    bool ok = true;
    switch (options_read(raw, lb_span(room, sizeof room), &line)) {
    case OPTIONS_NONE:
        break;
    case OPTIONS_FOREIGN:
        say("%u bytes of load options are no text: passed over\n", (unsigned)raw.len);
        break;
    case OPTIONS_TEXT:
        ok =
            is_locked(config, LB_SOURCE_OPTION, "load options") || use_options(config, line, error);
        break;
    case OPTIONS_DAMAGED:
        lb_fail(error, LB_E_CONFIG_LINE, "load options: they are no text in ASCII or UCS-2");
        ok = false;
        break;
    case OPTIONS_LONG:
        lb_fail(error, LB_E_CONFIG_LINE, "load options: longer than %u bytes", OPTIONS_MAX);
        ok = false;
        break;
    }
    lb_wipe(room, sizeof room);
    return ok;
}

/* Whoever starts the program by hand, or names it in a DHCP server as boot file, says by that act
 * that this machine is to boot so. `enable = no` in any source still forbids it. */
static void enable_by_origin(struct lb_config *config, enum origin origin) {
    struct lb_error error = {.code = LB_OK};
    if (origin != ORIGIN_DISK && !lb_config_is_set(config, LB_KEY_ENABLE))
        lb_config_set(config, LB_SOURCE_START, lb_bytes_of_text("enable"), lb_bytes_of_text("yes"),
                      &error);
}

/* A source that may say what counts of others is read before them. */
bool settings_read(struct lb_config *config, struct lb_error *error) {
    EFI_LOADED_IMAGE *loaded = image();
    enum origin origin = origin_find();
    say("started from %s\n", origin_word(origin));
    if (origin == ORIGIN_HTTP)
        say(CONF_NAME " is not read over HTTP; use the variable " VARIABLE_NAME "\n");
    if (loaded == NULL)
        return cannot_read(error, "how the program was started", EFI_UNSUPPORTED);
    if (!from_section(config, loaded, error) || !from_options(config, loaded, error) ||
        !from_variable(config, error) || !from_file(config, loaded, error))
        return false;
    enable_by_origin(config, origin);
    return lb_config_check(config, error);
}

void settings_wipe(void) {
    EFI_LOADED_IMAGE *loaded = image();
    if (loaded != NULL && loaded->LoadOptions != NULL)
        lb_wipe(loaded->LoadOptions, loaded->LoadOptionsSize);
}
