/* A kernel command line, as `lunboot initramfs` reads it: dracut's and open-iscsi's words, and
 * ours. What follows a NUL byte is the kernel's line, what stands before it open-iscsi's files. */
#include "hosts/linux/words.h"
#include "tests/fuzz.h"

static struct lb_config config;
static struct lb_words words;

static bool is_ours(uint8_t source) {
    return source == LB_SOURCE_NONE || source == LB_SOURCE_KERNEL || source == LB_SOURCE_OPEN_ISCSI;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes line = lb_bytes(data, size), file = lb_bytes(data, 0), word;
    struct lb_error error = {.code = LB_OK};
    size_t count = 0;
    for (size_t i = 0; i < size && file.len == 0; i++) {
        if (data[i] == 0) {
            file = lb_bytes(data, i);
            line = lb_bytes(data + i + 1, size - i - 1);
        }
    }
    memset(&config, 0, sizeof(config));
    memset(&words, 0, sizeof(words));
    lb_words_read_file(&words, file);
    lb_words_read_line(&words, line);
    lb_assert(lb_words_configure(&words, &config, &error) == lb_is_ok(&error));
    lb_assert(!lb_config_bool(&config, LB_KEY_ENABLE) || lb_words_ask(&words));
    for (unsigned i = 0; i < LB_KEY_COUNT; i++)
        lb_assert(is_ours(config.source[i]));
    for (size_t i = 0; i < words.note_count; i++)
        lb_assert(lb_text_is_fit(lb_bytes_of_text(words.notes[i])));
    lb_assert(lb_text_is_fit(lb_bytes_of_text(error.facts)));
    lb_assert(lb_words_initiator_name(file).len <= file.len);
    char holds[LB_WORDS_HOLDS_BYTES];
    lb_assert(!lb_words_loader_partition(line, holds) || lb_strlen(holds) == sizeof(holds) - 1);
    lb_config_wipe_secrets(&config);
    error = (struct lb_error){.code = LB_OK};
    (void)lb_config_cmdline(&config, line, &error);
    while (lb_config_next_word(&line, &word)) {
        lb_assert(lb_config_unquote(word).len <= word.len);
        count++;
    }
    lb_assert(count <= size);
    return 0;
}
