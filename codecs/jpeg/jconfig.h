/* libjpeg-turbo's configuration, which its CMake build would write. */
#define JPEG_LIB_VERSION 62
#define LIBJPEG_TURBO_VERSION 2.1.5
#define LIBJPEG_TURBO_VERSION_NUMBER 2001005
#define WITH_SIMD 1
#define BITS_IN_JSAMPLE 8
