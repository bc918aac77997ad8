#include "server/request.h"

struct verb {
    const char *words; /* one or two */
    size_t least, most;
    const char *form, *sentence;
};

#define VERB(name, words, least, most, form, sentence)                                             \
    [LB_REQUEST_##name] = {words, least, most, form, sentence},
static const struct verb verbs[LB_REQUEST_COUNT] = {LB_REQUEST_VERBS(VERB)};

/* Takes the command's words from the front of rest. */
static bool take_verb(struct lb_bytes *rest, enum lb_request_verb *verb) {
    for (int i = 0; i < LB_REQUEST_COUNT; i++) {
        struct lb_bytes left = *rest, form = lb_bytes_of_text(verbs[i].words), want, got;
        bool is_same = true;
        while (is_same && lb_list_next(&form, ' ', &want))
            is_same = lb_list_next(&left, '\t', &got) && lb_bytes_equal(want, got);
        if (!is_same)
            continue;
        *rest = left;
        *verb = (enum lb_request_verb)i;
        return true;
    }
    return false;
}

static bool take_words(struct lb_bytes rest, struct lb_request *request,
                       struct lb_server_error *error) {
    const struct verb *verb = &verbs[request->verb];
    struct lb_bytes word;
    char hint[120];
    lb_format(hint, sizeof hint, "lunbootctl %s%s%s", verb->words, verb->form[0] ? " " : "",
              verb->form);
    while (lb_list_next(&rest, '\t', &word)) {
        if (request->word_count == verb->most)
            return lb_server_fail(error, hint, "there are too many words after %s", verb->words);
        if (word.len == 0 || !lb_text_is_fit(word))
            return lb_server_fail(error, "leave out what cannot be seen",
                                  "a word after %s is empty or has control characters",
                                  verb->words);
        request->words[request->word_count++] = word;
    }
    return request->word_count >= verb->least ||
           lb_server_fail(error, hint, "something is missing after %s", verb->words);
}

bool lb_request_parse(struct lb_bytes line, struct lb_request *request,
                      struct lb_server_error *error) {
    struct lb_request got = {0};
    struct lb_bytes look;
    char shown[100];
    struct lb_text text = lb_text(shown, sizeof shown);
    if (!lb_list_next(&line, '\t', &look) ||
        (!lb_text_is(look, "text") && !lb_text_is(look, "json")))
        return lb_server_fail(error, "use the lunbootctl that came with this lunbootd",
                              "the request is not understood");
    got.is_json = lb_text_is(look, "json");
    if (!take_verb(&line, &got.verb)) {
        while (lb_list_next(&line, '\t', &look)) {
            lb_text_add(&text, "%s", text.len > 0 ? " " : "");
            lb_text_given(&text, look, 40);
        }
        return lb_server_fail(error, "lunbootctl --help lists the commands",
                              "there is no command \"%s\"", shown);
    }
    if (!take_words(line, &got, error))
        return false;
    *request = got;
    return true;
}

bool lb_request_info(size_t number, struct lb_request_info *info) {
    if (number >= LB_REQUEST_COUNT)
        return false;
    *info =
        (struct lb_request_info){verbs[number].words, verbs[number].form, verbs[number].sentence};
    return true;
}

void lb_request_help(struct lb_text *text) {
    for (int i = 0; i < LB_REQUEST_COUNT; i++)
        lb_text_add(text, "  %s%s%s\n      %s\n", verbs[i].words, verbs[i].form[0] ? " " : "",
                    verbs[i].form, verbs[i].sentence);
}
