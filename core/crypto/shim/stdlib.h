/* Mbed TLS includes a header of this name without need of anything in it (see string.h here). */
