/* lunboot rootpath: what a Root Path says, or at which byte it is wrong. */
#include "core/names/rootpath.h"
#include "hosts/linux/commands.h"
#include "hosts/linux/options.h"
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 8192 /* every field several times, as JSON escapes */

static bool as_json, as_uri, is_strict, is_lenient;
static const struct lb_option options[] = {
    {"json", NULL, "print one JSON object", &as_json, NULL},
    {"uri", NULL, "take it as a URI, as DHCPv6 gives it (%XX is decoded)", &as_uri, NULL},
    {"strict", NULL, "refuse `_` in the target name too", &is_strict, NULL},
    {"lenient", NULL, "take any target name, as accept-names=lenient does", &is_lenient, NULL},
};
static const struct lb_usage usage = {
    .command = "rootpath",
    .synopsis = "[--json] [--uri] [--strict] [--lenient] [--] STRING",
    .purpose = "Decodes an iSCSI Root Path (RFC 4173), or says what is wrong at which byte of it.",
    .options = options,
    .option_count = LB_COUNT(options),
};

static void format_server(struct lb_text *text, const struct lb_rootpath *rootpath) {
    if (rootpath->host == LB_HOST_NAME)
        lb_text_add(text, "%s", rootpath->name);
    if (rootpath->host == LB_HOST_ADDR)
        lb_text_add(text, rootpath->addr.family == LB_V6 ? "[%s]" : "%s",
                    lb_addr_text(rootpath->addr).s);
}

static unsigned port_of(const struct lb_rootpath *rootpath) {
    return rootpath->port ? rootpath->port : LB_ISCSI_PORT;
}

static void json_warnings(struct lb_text *text, unsigned warnings) {
    const char *comma = "";
    lb_text_add(text, "[");
    for (unsigned bit = 1; bit != 0 && bit <= warnings; bit <<= 1) {
        if (!(warnings & bit))
            continue;
        lb_text_add(text, "%s", comma);
        lb_text_json(text, lb_bytes_of_text(lb_rootpath_warning_text(bit)));
        comma = ", ";
    }
    lb_text_add(text, "]");
}

static void json_fields(struct lb_text *text, const struct lb_rootpath *rootpath) {
    char server[LB_HOST_MAX + 3];
    struct lb_text server_text = lb_text(server, sizeof(server));

    format_server(&server_text, rootpath);
    lb_text_add(text, "{\"servername\": ");
    if (rootpath->host == LB_HOST_NONE)
        lb_text_add(text, "null");
    else
        lb_text_json(text, lb_bytes_of_text(server));
    lb_text_add(text, ", \"protocol\": 6, \"port\": %u, \"lun\": \"", port_of(rootpath));
    lb_text_hex(text, lb_bytes(rootpath->lun, 8));
    lb_text_add(text, "\", \"targetname\": ");
    lb_text_json(text, lb_bytes_of_text(rootpath->target));
    lb_text_add(text, ", \"warnings\": ");
    json_warnings(text, rootpath->warnings);
    lb_text_add(text, "}\n");
}

static void plain_fields(struct lb_text *text, const struct lb_rootpath *rootpath) {
    lb_text_add(text, "servername  ");
    format_server(text, rootpath);
    lb_text_add(text, "%s\nprotocol    6 (TCP)\nport        %u\nlun         ",
                rootpath->host == LB_HOST_NONE ? "(none: found by Discovery)" : "",
                port_of(rootpath));
    lb_lun_format(text, rootpath->lun);
    lb_text_add(text, " (");
    lb_text_hex(text, lb_bytes(rootpath->lun, 8));
    lb_text_add(text, ")\ntargetname  %s\n", rootpath->target);
    for (unsigned bit = 1; bit != 0 && bit <= rootpath->warnings; bit <<= 1) {
        if (rootpath->warnings & bit)
            lb_text_add(text, "warning     %s\n", lb_rootpath_warning_text(bit));
    }
}

static void json_error(struct lb_text *text, const struct lb_rootpath_where *where,
                       const struct lb_error *error) {
    char message[512];
    lb_format(message, sizeof(message), "%s%s%s", lb_code_what(error->code),
              error->facts[0] ? ": " : "", error->facts);
    lb_text_add(text, "{\"error\": {\"code\": \"%s\", \"field\": \"%s\", \"offset\": %zu, ",
                lb_code_word(error->code), lb_rootpath_field_word(where->field), where->offset);
    lb_text_add(text, "\"message\": ");
    lb_text_json(text, lb_bytes_of_text(message));
    lb_text_add(text, "}}\n");
}

/* The string, and a mark below the byte that is wrong. */
static void plain_error(struct lb_text *text, const char *string,
                        const struct lb_rootpath_where *where, const struct lb_error *error) {
    struct lb_bytes bytes = lb_bytes_of_text(string);
    bytes.len = LB_MIN(bytes.len, where->offset);
    lb_error_format(text, error);
    if (strchr(string, '@'))
        return; /* as dracut has it, with a secret */
    lb_text_add(text, "  ");
    lb_text_untrusted(text, lb_bytes_of_text(string));
    lb_text_add(text, "\n  ");
    size_t start = text->len;
    lb_text_untrusted(text, bytes);
    for (size_t i = start; i < text->len; i++)
        text->at[i] = ' ';
    lb_text_add(text, "^ byte %zu, in the field %s\n", where->offset,
                lb_rootpath_field_word(where->field));
}

int lb_cmd_rootpath(int argc, char **argv) {
    char output[OUTPUT_MAX];
    struct lb_text text = lb_text(output, sizeof(output));
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where = {0};
    struct lb_error error = {0};
    const char *string = NULL;
    enum lb_parsed parsed = lb_options_parse(&usage, argc, argv, NULL, &string);
    unsigned flags;

    if (parsed != LB_PARSED)
        return parsed == LB_PARSED_HELP ? LB_EXIT_OK : LB_EXIT_USAGE;
    if (!string) {
        fprintf(stderr, "usage: lunboot rootpath %s\n", usage.synopsis);
        return LB_EXIT_USAGE;
    }
    flags = (as_uri ? LB_ROOTPATH_URI : 0u) | (is_strict ? LB_ROOTPATH_STRICT_NAMES : 0u) |
            (is_lenient ? LB_ROOTPATH_ANY_NAMES : 0u);
    if (lb_rootpath_parse(lb_bytes_of_text(string), flags, &rootpath, &where, &error)) {
        if (as_json)
            json_fields(&text, &rootpath);
        else
            plain_fields(&text, &rootpath);
        fputs(output, stdout);
        return LB_EXIT_OK;
    }
    if (as_json)
        json_error(&text, &where, &error);
    else
        plain_error(&text, string, &where, &error);
    fputs(output, as_json ? stdout : stderr);
    return LB_EXIT_FAILED;
}
