/* GUID constants: DEFINE_GUID for driver sources, and the form our own tables use.
 *
 * DEFINE_GUID follows the documented rule: with INITGUID defined before inclusion it defines the constant, otherwise
 * it declares it. A definition is weak, so that a source file that reaches it twice still links. The built-in WFP
 * GUIDs use WFPTAP_BUILTIN_GUID instead: they are constants with internal linkage, usable everywhere without
 * INITGUID. */
#ifndef WFPTAP_GUIDDEF_H
#define WFPTAP_GUIDDEF_H

#include <nt/types.h>
#include <string.h>

typedef GUID* LPGUID;
typedef const GUID* LPCGUID;
typedef GUID IID;
typedef GUID CLSID;

#ifdef __cplusplus
#define WFPTAP_GUID_DECLARE(name) extern "C" const GUID name
#define WFPTAP_BUILTIN_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  static constexpr GUID name __attribute__((unused)) = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define WFPTAP_GUID_DECLARE(name) extern const GUID name
#define WFPTAP_BUILTIN_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  static const GUID name __attribute__((unused)) = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#endif

static inline int InlineIsEqualGUID(const GUID* left, const GUID* right) {
  return memcmp(left, right, sizeof(GUID)) == 0;
}

#ifdef __cplusplus
#define REFGUID const GUID&
static inline int IsEqualGUID(const GUID& left, const GUID& right) { return InlineIsEqualGUID(&left, &right); }
static inline bool operator==(const GUID& left, const GUID& right) { return InlineIsEqualGUID(&left, &right) != 0; }
#else
#define REFGUID const GUID*
#define IsEqualGUID(left, right) InlineIsEqualGUID((left), (right))
#endif

#endif

/* Outside the guard: a file may include this header first without and then with INITGUID. */
#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  WFPTAP_GUID_DECLARE(name) __attribute__((weak));                   \
  const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) WFPTAP_GUID_DECLARE(name)
#endif
