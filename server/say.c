#include "server/say.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void lb_server_say(const char *who, const char *format, ...) {
    char line[600], clock[16] = "";
    struct lb_text text = lb_text(line, sizeof line);
    time_t seconds = time(NULL);
    struct tm local;
    va_list arguments;
    if (localtime_r(&seconds, &local) != NULL)
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
    lb_text_add(&text, "%s  %-15s  ", clock, who);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    puts(line);
    fflush(stdout);
}

void lb_server_complain(const struct lb_server_error *error) {
    fprintf(stderr, "lunbootd: %s\n", error->what);
    if (error->hint[0] != '\0')
        fprintf(stderr, "  try: %s\n", error->hint);
}
