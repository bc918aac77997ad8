/* What belongs together in a configuration: half of it is an error, for it would be less protection
 * than was meant. */
#include "core/base/config_lists.h"
#include "core/base/dhcp_keys.h"

void lb_config_where(struct lb_text *text, const struct lb_config *config, enum lb_key key) {
    enum lb_config_source source = lb_config_source(config, key);
    const char *name = config->name[source];
    lb_text_add(text, "%s (%s", lb_key_info(key)->word,
                name != NULL ? name : lb_config_source_word(source));
    if (config->line[key] != 0)
        lb_text_add(text, ", line %u", config->line[key]);
    lb_text_add(text, ")");
}

/* ---- CHAP ----------------------------------------------------------------------------------- */

static const enum lb_key chap_keys[] = {LB_KEY_CHAP_NAME, LB_KEY_CHAP_SECRET,
                                        LB_KEY_CHAP_TARGET_NAME, LB_KEY_CHAP_TARGET_SECRET};

/* The table's secret under a person's name, or the other way round, is nobody's account. Of a key
 * that is none of CHAP's: whether it is set. */
bool lb_config_has_chap(const struct lb_config *config, enum lb_key key) {
    bool is_others = false;
    for (size_t i = 0; i < LB_COUNT(chap_keys); i++)
        is_others = is_others || lb_config_source(config, chap_keys[i]) > LB_SOURCE_IBFT;
    return lb_config_source(config, key) > (is_others ? LB_SOURCE_IBFT : LB_SOURCE_NONE);
}

static bool is_missing(const struct lb_config *config, enum lb_key key, enum lb_key needs,
                       struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    if (!lb_config_has_chap(config, key) || lb_config_has_chap(config, needs))
        return false;
    lb_config_where(&text, config, key);
    lb_fail(error, LB_E_CONFIG_HALF, "%s needs %s%s", where, lb_key_info(needs)->word,
            lb_config_is_set(config, needs) ? ", and that of the firmware's table is not for it"
                                            : "");
    return true;
}

/* The table says that the firmware logged in by CHAP; its target is booted, so it is needed. */
static bool is_missing_in_table(const struct lb_config *config, bool is_said, enum lb_key key,
                                struct lb_error *error) {
    bool is_booted = lb_config_source(config, LB_KEY_TARGET) == LB_SOURCE_IBFT &&
                     !lb_config_is_set(config, LB_KEY_ROOTPATH);
    if (!is_said || !is_booted || config->table.target[0] == '\0' ||
        lb_config_has_chap(config, key))
        return false;
    lb_fail(error, LB_E_CONFIG_HALF, "%s: its target wants %s, and there is no %s",
            lb_config_source_word(LB_SOURCE_IBFT), config->table.mutual ? "mutual CHAP" : "CHAP",
            lb_key_info(key)->word);
    return true;
}

/* ---- names ---------------------------------------------------------------------------------- */

/* An item that can match nothing is an error, for a list that is not understood must not be one
 * that allows. Names of no form of RFC 7143 match something where such names are accepted. */
static bool has_odd_item(const struct lb_config *config, enum lb_key key, struct lb_error *error) {
    struct lb_config_item item;
    char where[160], shown[80];
    struct lb_text text = lb_text(where, sizeof where), shown_text = lb_text(shown, sizeof shown);
    if (lb_streq(lb_config_text(config, LB_KEY_ACCEPT_NAMES), "lenient") ||
        lb_config_forms_check(lb_bytes_of_text(lb_config_text(config, key)), &item))
        return false;
    lb_config_where(&text, config, key);
    lb_text_given(&shown_text, item.text, 60);
    lb_fail(error, LB_E_CONFIG_VALUE, "%s: item %zu, `%s`, %s; accept-names=lenient takes others",
            where, item.number, shown, item.why);
    return true;
}

/* ---- DHCP authentication -------------------------------------------------------------------- */

static bool is_wrong_key(const struct lb_config *config, struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    size_t item;
    if (!lb_config_is_set(config, LB_KEY_DHCP_KEYS) ||
        lb_dhcp_keys_check(lb_config_secret(config, LB_KEY_DHCP_KEYS), &item))
        return false;
    lb_config_where(&text, config, LB_KEY_DHCP_KEYS);
    lb_fail(
        error, LB_E_CONFIG_VALUE,
        "%s: item %zu is not ID:SECRET or ID@REALM:SECRET with a secret of %u to %u bytes, or is "
        "there twice",
        where, item, (unsigned)LB_DHCP_SECRET_MIN, (unsigned)LB_DHCP_SECRET_MAX);
    return true;
}

/* BOOTP has no option that could prove anything. */
static bool is_auth_in_vain(const struct lb_config *config, struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    bool has_keys = lb_config_is_set(config, LB_KEY_DHCP_KEYS);
    if (lb_config_requires(config, "dhcp-auth") && !has_keys) {
        lb_config_where(&text, config, LB_KEY_REQUIRE);
        lb_fail(error, LB_E_CONFIG_HALF, "%s: dhcp-auth needs dhcp-keys", where);
        return true;
    }
    if (has_keys && lb_config_bool(config, LB_KEY_BOOTP)) {
        lb_config_where(&text, config, LB_KEY_BOOTP);
        lb_fail(error, LB_E_CONFIG_VALUE, "%s: BOOTP cannot be authenticated, and dhcp-keys is set",
                where);
        return true;
    }
    return false;
}

/* ---- client-arch ---------------------------------------------------------------------------- */

bool lb_config_arch(const struct lb_config *config, uint16_t *arch) {
    uint64_t number;
    struct lb_bytes value = lb_bytes_of_text(lb_config_text(config, LB_KEY_CLIENT_ARCH));
    if (!lb_parse_u64(value, UINT16_MAX, &number))
        return false;
    *arch = (uint16_t)number;
    return true;
}

static bool is_wrong_arch(const struct lb_config *config, struct lb_error *error) {
    const char *value = lb_config_text(config, LB_KEY_CLIENT_ARCH);
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    uint16_t arch;
    if (value[0] == '\0' || lb_streq(value, "auto") || lb_streq(value, "none") ||
        lb_config_arch(config, &arch))
        return false;
    lb_config_where(&text, config, LB_KEY_CLIENT_ARCH);
    lb_fail(error, LB_E_CONFIG_VALUE, "%s: `%s`, expected auto, none, or 0 to %u", where, value,
            (unsigned)UINT16_MAX);
    return true;
}

/* ---- signatures ----------------------------------------------------------------------------- */

static bool is_unsigned(const struct lb_config *config, struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    if (!lb_config_requires(config, "signed-config") || config->name[LB_SOURCE_VERIFIED] != NULL)
        return false;
    lb_config_where(&text, config, LB_KEY_REQUIRE);
    lb_fail(error, LB_E_CONFIG_SIGNATURE, "%s: signed-config, and no signed lunboot.conf was read",
            where);
    return true;
}

/* ---- IPsec ---------------------------------------------------------------------------------- */

/* What `ipsec` and `require` say, and what there is. */
static bool is_ipsec_in_vain(const struct lb_config *config, struct lb_error *error) {
    char where[160];
    struct lb_text text = lb_text(where, sizeof where);
    const char *word = lb_config_text(config, LB_KEY_IPSEC);
    bool is_off = lb_streq(word, "off"), is_on = !is_off && !lb_streq(word, "auto");
    bool is_required = lb_config_requires(config, "ipsec");
    if (!lb_config_is_set(config, LB_KEY_IPSEC_PSK) && (is_on || is_required)) {
        lb_config_where(&text, config, is_required ? LB_KEY_REQUIRE : LB_KEY_IPSEC);
        lb_fail(error, LB_E_CONFIG_HALF, "%s: %s needs ipsec-psk", where,
                is_required ? "ipsec" : word);
        return true;
    }
    if (is_required && (is_off || lb_streq(word, "target"))) {
        lb_config_where(&text, config, LB_KEY_IPSEC);
        lb_fail(error, LB_E_CONFIG_VALUE, "%s is %s, and require has ipsec", where, word);
        return true;
    }
    return false;
}

bool lb_config_check(const struct lb_config *config, struct lb_error *error) {
    static const struct {
        enum lb_key key, needs;
    } pairs[] = {
        {LB_KEY_CHAP_NAME, LB_KEY_CHAP_SECRET},
        {LB_KEY_CHAP_SECRET, LB_KEY_CHAP_NAME},
        {LB_KEY_CHAP_TARGET_SECRET, LB_KEY_CHAP_NAME},
        {LB_KEY_CHAP_TARGET_SECRET, LB_KEY_CHAP_SECRET},
        {LB_KEY_CHAP_TARGET_NAME, LB_KEY_CHAP_TARGET_SECRET},
        {LB_KEY_IPSEC_PSK, LB_KEY_IPSEC_ID},
        {LB_KEY_IPSEC_PSK, LB_KEY_IPSEC_PEER_ID},
        {LB_KEY_IPSEC_ID, LB_KEY_IPSEC_PSK},
        {LB_KEY_IPSEC_PEER_ID, LB_KEY_IPSEC_PSK},
        {LB_KEY_IPSEC_MODE, LB_KEY_IPSEC_PSK},
    };
    for (size_t i = 0; i < LB_COUNT(pairs); i++)
        if (is_missing(config, pairs[i].key, pairs[i].needs, error))
            return false;
    if (is_unsigned(config, error) || is_wrong_key(config, error) ||
        is_auth_in_vain(config, error) || is_wrong_arch(config, error))
        return false;
    if (is_ipsec_in_vain(config, error))
        return false;
    if (has_odd_item(config, LB_KEY_ALLOW_TARGET, error) ||
        has_odd_item(config, LB_KEY_ALLOW_INITIATOR, error))
        return false;
    return !is_missing_in_table(config, config->table.chap, LB_KEY_CHAP_NAME, error) &&
           !is_missing_in_table(config, config->table.mutual, LB_KEY_CHAP_TARGET_SECRET, error);
}
