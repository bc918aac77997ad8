/* GRUB's variables, and the block of them that outlives a boot. */
#include "core/base/text.h"
#include "hosts/linux/grub.h"
#include <string.h>

/* What GRUB sets before it reads a grub.cfg (grub-core/normal/main.c: features). */
static const char *built_in(const struct lb_grub_env *env, const char *name) {
    if (strncmp(name, "feature_", 8) == 0)
        return "y";
    if (strcmp(name, "menuentry_id_option") == 0)
        return "--id";
    if (strcmp(name, "grub_platform") == 0)
        return env->is_efi ? "efi" : "pc";
    return NULL;
}

/* The record NAME=VALUE in the pool; NULL: none. */
static char *find(const struct lb_grub_env *env, const char *name) {
    size_t name_len = strlen(name);
    for (size_t at = 0; at < env->len; at += strlen(env->pool + at) + 1) {
        const char *record = env->pool + at;
        if (strncmp(record, name, name_len) == 0 && record[name_len] == '=')
            return (char *)(uintptr_t)record;
    }
    return NULL;
}

/* The value as it is kept: LB_GRUB_UNKNOWN alone where it is not known. */
static const char *kept(const struct lb_grub_env *env, const char *name) {
    const char *record = find(env, name);
    return record ? record + strlen(name) + 1 : built_in(env, name);
}

const char *lb_grub_env_get(const struct lb_grub_env *env, const char *name) {
    const char *value = kept(env, name);
    return value && value[0] != LB_GRUB_UNKNOWN ? value : NULL;
}

bool lb_grub_is_unknown(const struct lb_grub_env *env, const char *name) {
    static const char *const always[] = {"?", "root", "prefix", "cmdpath", "config_directory"};
    const char *value = kept(env, name);
    for (size_t i = 0; !value && i < LB_COUNT(always); i++) {
        if (strcmp(name, always[i]) == 0)
            return true;
    }
    return value && value[0] == LB_GRUB_UNKNOWN;
}

bool lb_grub_env_set(struct lb_grub_env *env, const char *name, const char *value) {
    char *old = find(env, name);
    size_t need = strlen(name) + 1 + strlen(value) + 1;
    if (old) {
        size_t old_len = strlen(old) + 1;
        memmove(old, old + old_len, env->len - (size_t)(old - env->pool) - old_len);
        env->len -= old_len;
    }
    if (name[0] == 0 || strchr(name, '=') || need > sizeof(env->pool) - env->len)
        return false;
    lb_format(env->pool + env->len, need, "%s=%s", name, value);
    env->len += need;
    return true;
}

void lb_grub_env_forget(struct lb_grub_env *env, const char *name) {
    static const char unknown[] = {LB_GRUB_UNKNOWN, 0};
    (void)lb_grub_env_set(env, name, unknown);
}

/* ---- the environment block ------------------------------------------------------------------- */

static const char block_head[] = "# GRUB Environment Block\n";

struct pair {
    char name[64], value[LB_GRUB_WORD_MAX];
    bool is_cut;
};

static void add(struct pair *pair, char *to, size_t cap, size_t *len, uint8_t byte) {
    if (*len + 1 < cap && byte >= ' ')
        to[(*len)++] = (char)byte;
    else
        pair->is_cut = true;
}

/* Takes the next line off *block; a backslash stands before a byte that is meant as it is, a line
 * feed among them (grub-core/lib/envblk.c). False: the block is at its end. */
static bool take_pair(struct lb_bytes *block, struct pair *pair) {
    size_t at = 0, name_len = 0, value_len = 0;
    bool has_name = false;
    *pair = (struct pair){0};
    if (block->len == 0)
        return false;
    for (; at < block->len && block->p[at] != '\n'; at++) {
        if (!has_name && block->p[at] == '=') {
            has_name = true;
            continue;
        }
        if (has_name && block->p[at] == '\\' && at + 1 < block->len)
            at++;
        if (has_name)
            add(pair, pair->value, sizeof(pair->value), &value_len, block->p[at]);
        else
            add(pair, pair->name, sizeof(pair->name), &name_len, block->p[at]);
    }
    at = LB_MIN(at + 1, block->len);
    *block = lb_bytes(block->p + at, block->len - at);
    /* A comment, and the padding at the end, which is one. */
    pair->is_cut = pair->is_cut || !has_name || name_len == 0 || pair->name[0] == '#';
    return true;
}

static bool begin_block(const struct lb_grub_env *env, struct lb_bytes *block) {
    size_t head_len = strlen(block_head);
    if (env->block.len < head_len || memcmp(env->block.p, block_head, head_len) != 0)
        return false;
    *block = lb_bytes(env->block.p + head_len, env->block.len - head_len);
    return true;
}

bool lb_grub_env_load(struct lb_grub_env *env) {
    struct lb_bytes block;
    struct pair pair;
    if (!begin_block(env, &block))
        return false;
    while (take_pair(&block, &pair)) {
        if (!pair.is_cut)
            (void)lb_grub_env_set(env, pair.name, pair.value);
    }
    return true;
}

bool lb_grub_block_value(const struct lb_grub_env *env, const char *name, char *to, size_t cap) {
    struct lb_bytes block;
    struct pair pair;
    to[0] = 0;
    if (!begin_block(env, &block))
        return false;
    while (take_pair(&block, &pair)) {
        if (!pair.is_cut && strcmp(pair.name, name) == 0)
            (void)lb_text_copy(to, cap, lb_bytes_of_text(pair.value));
    }
    return to[0] != 0;
}

/* ---- expansion ------------------------------------------------------------------------------- */

static bool is_name(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

size_t lb_grub_variable(struct lb_bytes from, char *name, size_t cap) {
    bool has_braces = from.len > 1 && from.p[1] == '{';
    size_t start = has_braces ? 2 : 1, end = start;
    name[0] = 0;
    while (end < from.len && (has_braces ? from.p[end] != '}' : is_name(from.p[end])))
        end++;
    /* `$?` and the arguments of functions. */
    if (!has_braces && end == start && end < from.len && strchr("?@*#", from.p[end]))
        end++;
    (void)lb_text_copy(name, cap, lb_bytes(from.p + start, end - start));
    return has_braces && end < from.len ? end + 1 : end;
}

bool lb_grub_expand(const struct lb_grub_env *env, struct lb_bytes from, char *to, size_t cap) {
    struct lb_text text = lb_text(to, cap);
    for (size_t at = 0; at < from.len;) {
        size_t end = at;
        const char *value;
        char name[64];
        if (from.p[at] != '$') {
            while (end < from.len && from.p[end] != '$')
                end++;
            lb_text_add(&text, "%.*s", (int)(end - at), (const char *)from.p + at);
            at = end;
            continue;
        }
        at += lb_grub_variable(lb_bytes(from.p + at, from.len - at), name, sizeof(name));
        value = lb_grub_env_get(env, name);
        lb_text_add(&text, "%s", value ? value : "");
    }
    return !text.cut;
}
