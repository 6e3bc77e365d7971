/* Names for people, on every management object. `name` must not be NULL. */
#ifndef WFPTAP_FWPM_DISPLAY_H
#define WFPTAP_FWPM_DISPLAY_H

#include <nt/types.h>

typedef struct FWPM_DISPLAY_DATA0_ {
  PWSTR name;
  PWSTR description;
} FWPM_DISPLAY_DATA0;

#define FWPM_DISPLAY_DATA FWPM_DISPLAY_DATA0

#endif
