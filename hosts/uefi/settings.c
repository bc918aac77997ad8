#include "hosts/uefi/settings.h"
#include "core/crypto/crypto.h"
#include "hosts/uefi/file.h"
#include "hosts/uefi/options.h"
#include "hosts/uefi/origin.h"
#include "hosts/uefi/variable.h"

#define CONF_NAME "lunboot.conf"
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

/* The lines of a source that was read, or of one that is not there. */
static bool use(struct lb_config *config, enum lb_config_source source, const char *name,
                EFI_STATUS status, struct lb_bytes lines, struct lb_error *error) {
    struct lb_error inner = {.code = LB_OK};
    if (status == EFI_NOT_FOUND)
        return true;
    if (EFI_ERROR(status))
        return cannot_read(error, name, status);
    config->name[source] = name;
    if (lb_config_file(config, source, lines, &inner))
        return true;
    lb_fail(error, inner.code, "%s, %s", name, inner.facts);
    return false;
}

/* ---- lunboot.conf ---- */

/* The first that is there, and its name. */
static EFI_STATUS load_from_disk(EFI_LOADED_IMAGE *loaded, uint8_t *room, size_t *len,
                                 const char **name) {
    static char own[3 * FILE_NAME_MAX]; /* a CHAR16 may be three bytes */
    static CHAR16 wide[FILE_NAME_MAX];
    static const CHAR16 *const others[] = {L"\\EFI\\lunboot\\"
                                           L"lunboot.conf",
                                           L"\\lunboot.conf"};
    static const char *const names[] = {"\\EFI\\lunboot\\" CONF_NAME, "\\" CONF_NAME};
    EFI_STATUS status = EFI_NOT_FOUND;
    if (file_beside(loaded->FilePath, L"lunboot.conf", wide)) {
        struct lb_text text = lb_text(own, sizeof own);
        for (size_t i = 0; wide[i] != 0; i++)
            lb_text_add(&text, "%c", wide[i] < 0x7f ? (char)wide[i] : '?');
        *name = own;
        status = file_load(loaded->DeviceHandle, wide, room, CONF_MAX, len);
    }
    for (size_t i = 0; i < LB_COUNT(names) && status == EFI_NOT_FOUND; i++) {
        *name = names[i];
        status = file_load(loaded->DeviceHandle, others[i], room, CONF_MAX, len);
    }
    return status;
}

static bool from_file(struct lb_config *config, EFI_LOADED_IMAGE *loaded, struct lb_error *error) {
    uint8_t *room = uefi_alloc(CONF_MAX);
    size_t len = 0;
    const char *name = CONF_NAME;
    if (room == NULL)
        return cannot_read(error, name, EFI_OUT_OF_RESOURCES);
    EFI_STATUS status = load_from_disk(loaded, room, &len, &name);
    if (status == EFI_NOT_FOUND) {
        name = CONF_NAME " by TFTP";
        status = origin_load(CONF_NAME, room, CONF_MAX, &len);
    }
    bool ok = use(config, LB_SOURCE_FILE, name, status, lb_bytes(room, len), error);
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
        ok = use_options(config, line, error);
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

bool settings_read(struct lb_config *config, struct lb_error *error) {
    EFI_LOADED_IMAGE *loaded = image();
    enum origin origin = origin_find();
    say("started from %s\n", origin_word(origin));
    if (origin == ORIGIN_HTTP)
        say(CONF_NAME " is not read over HTTP; use the variable " VARIABLE_NAME "\n");
    if (loaded == NULL)
        return cannot_read(error, "how the program was started", EFI_UNSUPPORTED);
    if (!from_file(config, loaded, error) || !from_variable(config, error) ||
        !from_options(config, loaded, error))
        return false;
    enable_by_origin(config, origin);
    return lb_config_check(config, error);
}

void settings_wipe(void) {
    EFI_LOADED_IMAGE *loaded = image();
    if (loaded != NULL && loaded->LoadOptions != NULL)
        lb_wipe(loaded->LoadOptions, loaded->LoadOptionsSize);
}
