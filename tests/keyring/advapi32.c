/* Stands in for advapi32.dll where there is no Windows: CREDENTIALW of wincred.h, one credential, no logon tricks. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint32_t Flags, Type;
  uint16_t *TargetName, *Comment;
  struct { uint32_t low, high; } LastWritten;
  uint32_t CredentialBlobSize;
  uint8_t *CredentialBlob;
  uint32_t Persist, AttributeCount;
  void *Attributes;
  uint16_t *TargetAlias, *UserName;
} CREDENTIALW;

/* The layout of 64-bit Windows, whatever compiler reads this. */
_Static_assert(sizeof(CREDENTIALW) == 80, "size");
_Static_assert(offsetof(CREDENTIALW, Type) == 4, "Type");
_Static_assert(offsetof(CREDENTIALW, TargetName) == 8, "TargetName");
_Static_assert(offsetof(CREDENTIALW, Comment) == 16, "Comment");
_Static_assert(offsetof(CREDENTIALW, LastWritten) == 24, "LastWritten");
_Static_assert(offsetof(CREDENTIALW, CredentialBlobSize) == 32, "CredentialBlobSize");
_Static_assert(offsetof(CREDENTIALW, CredentialBlob) == 40, "CredentialBlob");
_Static_assert(offsetof(CREDENTIALW, Persist) == 48, "Persist");
_Static_assert(offsetof(CREDENTIALW, AttributeCount) == 52, "AttributeCount");
_Static_assert(offsetof(CREDENTIALW, Attributes) == 56, "Attributes");
_Static_assert(offsetof(CREDENTIALW, TargetAlias) == 64, "TargetAlias");
_Static_assert(offsetof(CREDENTIALW, UserName) == 72, "UserName");

static CREDENTIALW *kept;
static int frees, networkLogon;

static size_t units(const uint16_t *text) {
  size_t n = 0;
  while (text[n]) n++;
  return n + 1;
}

static uint16_t *copy(const uint16_t *text) {
  return text ? memcpy(malloc(units(text) * 2), text, units(text) * 2) : NULL;
}

static int matches(const uint16_t *target, uint32_t type) {
  return kept && type == kept->Type && units(target) == units(kept->TargetName) &&
    !memcmp(target, kept->TargetName, units(target) * 2);
}

/* Flags, Type, Persist and the rest must be as the real one wants them, else it refuses. */
int32_t CredWriteW(const CREDENTIALW *c, uint32_t flags) {
  if (networkLogon || flags || c->Flags || c->Type != 1 || c->Persist != 2) return 0;
  if (c->AttributeCount || c->Attributes || c->TargetAlias || c->CredentialBlobSize > 2560) return 0;
  kept = memcpy(malloc(sizeof *c), c, sizeof *c);
  kept->TargetName = copy(c->TargetName);
  kept->Comment = copy(c->Comment);
  kept->UserName = copy(c->UserName);
  kept->CredentialBlob = memcpy(malloc(c->CredentialBlobSize + 1), c->CredentialBlob, c->CredentialBlobSize);
  return 1;
}

int32_t CredReadW(const uint16_t *target, uint32_t type, uint32_t flags, CREDENTIALW **out) {
  if (networkLogon || flags || !matches(target, type)) return 0;
  *out = memcpy(malloc(sizeof *kept), kept, sizeof *kept);
  return 1;
}

int32_t CredDeleteW(const uint16_t *target, uint32_t type, uint32_t flags) {
  if (networkLogon || flags || !matches(target, type)) return 0;
  kept = NULL;
  return 1;
}

int32_t CredGetSessionTypes(uint32_t count, uint32_t *persistence) {
  for (uint32_t n = 0; n < count; n++) persistence[n] = networkLogon ? 0 : 3;
  return 1;
}

void CredFree(void *credential) {
  frees++;
  memset(credential, 0xff, sizeof(CREDENTIALW)); /* whoever still reads it now crashes */
  free(credential);
}

/* For the test alone. */
void setNetworkLogon(int32_t on) { networkLogon = on; }
int32_t freed(void) { return frees; }
