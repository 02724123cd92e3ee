/* What seals the packets of the fan-out: libcrypto, the keys of phones, and streams under them. Part of _native.c. */
#pragma once
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#define AT_ONCE 64
#define HEADER 12
#define NONCE 12
#define TAG 16
#define AEAD_GET_TAG 0x10

static struct {
    void *(*cipher_new)(void);
    void (*cipher_free)(void *);
    const void *(*aes_128_gcm)(void);
    const void *(*aes_256_gcm)(void);
    int (*init)(void *, const void *, void *, const unsigned char *, const unsigned char *);
    int (*update)(void *, unsigned char *, int *, const unsigned char *, int);
    int (*final)(void *, unsigned char *, int *);
    int (*control)(void *, int, int, void *);
} crypto;

static int find_crypto(void) {
    void *library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    struct {
        const char *name;
        void **into;
    } wanted[] = {
        {"EVP_CIPHER_CTX_new", (void **)&crypto.cipher_new}, {"EVP_CIPHER_CTX_free", (void **)&crypto.cipher_free},
        {"EVP_aes_128_gcm", (void **)&crypto.aes_128_gcm},   {"EVP_aes_256_gcm", (void **)&crypto.aes_256_gcm},
        {"EVP_EncryptInit_ex", (void **)&crypto.init},       {"EVP_EncryptUpdate", (void **)&crypto.update},
        {"EVP_EncryptFinal_ex", (void **)&crypto.final},     {"EVP_CIPHER_CTX_ctrl", (void **)&crypto.control},
    };
    for (size_t i = 0; library && i < sizeof wanted / sizeof *wanted; i++)
        if (!(*wanted[i].into = dlsym(library, wanted[i].name))) library = NULL;
    if (!library) PyErr_SetString(PyExc_ImportError, "libcrypto.so.3 is not here");
    return library ? 0 : -1;
}

/* --- the keys of phones ---------------------------------------------------------------------------------------------- */

/* Ciphers are made by the dozen and handed out in that order: the audience of a packet then lies in a few pages, where
 * one here and one there, each between some phone's TLS state, costs a miss of the translation buffer or two a packet. */
typedef struct cipher {
    void *context;
    struct cipher *next;
} Cipher;

static Cipher *spare[2];

static int make_some(int strong) {
    const void *kind = strong ? crypto.aes_256_gcm() : crypto.aes_128_gcm();
    Cipher *made[AT_ONCE];
    int count = 0;
    for (; count < AT_ONCE; count++) {
        Cipher *one = made[count] = PyMem_RawMalloc(sizeof *one);
        if (!one) break;
        one->context = crypto.cipher_new();
        if (!one->context || crypto.init(one->context, kind, NULL, NULL, NULL) != 1) {
            if (one->context) crypto.cipher_free(one->context);
            PyMem_RawFree(one);
            break;
        }
    }
    for (int i = count - 1; i >= 0; i--) {
        made[i]->next = spare[strong];
        spare[strong] = made[i];
    }
    return count > 0;
}

typedef struct {
    PyObject_HEAD
    Cipher *cipher;
    int strong;
} Key;

static int key_init(Key *self, PyObject *args, PyObject *named) {
    static char *names[] = {"key", NULL};
    const char *key;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(args, named, "y#", names, &key, &size)) return -1;
    if (self->cipher || (size != 16 && size != 32)) {
        PyErr_SetString(PyExc_ValueError, "a key has 16 or 32 bytes, and is given once");
        return -1;
    }
    self->strong = size == 32;
    if (!spare[self->strong] && !make_some(self->strong)) {
        PyErr_SetString(PyExc_RuntimeError, "libcrypto gives no cipher");
        return -1;
    }
    self->cipher = spare[self->strong];
    spare[self->strong] = self->cipher->next;
    if (crypto.init(self->cipher->context, NULL, NULL, (const unsigned char *)key, NULL) != 1) {
        PyErr_SetString(PyExc_RuntimeError, "libcrypto takes no key");
        return -1;
    }
    return 0;
}

static void key_dealloc(Key *self) {
    static const unsigned char nothing[32];
    if (self->cipher) {
        crypto.init(self->cipher->context, NULL, NULL, nothing, NULL); /* the key is nowhere any more */
        self->cipher->next = spare[self->strong];
        spare[self->strong] = self->cipher;
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject KeyType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "poc_server.media._native.Key",
    .tp_basicsize = sizeof(Key),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)key_init,
    .tp_dealloc = (destructor)key_dealloc,
};

/* --- one outgoing SSRC under one key ------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    void *context; /* of the key */
    Key *key;
    uint8_t nonce[NONCE];
    uint32_t ssrc;
    long long highest;
} Sealer;

static int sealer_init(Sealer *self, PyObject *args, PyObject *named) {
    static char *names[] = {"key", "nonce", "ssrc", NULL};
    Key *key;
    const char *nonce;
    Py_ssize_t nonce_size;
    unsigned long ssrc;
    if (!PyArg_ParseTupleAndKeywords(args, named, "O!y#k", names, &KeyType, &key, &nonce, &nonce_size, &ssrc)) return -1;
    if (self->key || !key->cipher || nonce_size != NONCE) {
        PyErr_SetString(PyExc_ValueError, "a nonce has 12 bytes, and is given once");
        return -1;
    }
    self->key = (Key *)Py_NewRef((PyObject *)key);
    self->context = key->cipher->context;
    memcpy(self->nonce, nonce, NONCE);
    self->ssrc = (uint32_t)ssrc;
    self->highest = -1;
    return 0;
}

static void sealer_dealloc(Sealer *self) {
    Py_XDECREF(self->key);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static int seal(Sealer *by, uint8_t kind, uint64_t index, uint32_t timestamp, const uint8_t *payload, int size, uint8_t *out) {
    uint8_t nonce[NONCE];
    int done = 0, last = 0;
    out[0] = 0x80;
    out[1] = kind;
    out[2] = (uint8_t)(index >> 8);
    out[3] = (uint8_t)index;
    for (int i = 0; i < 4; i++) {
        out[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        out[8 + i] = (uint8_t)(by->ssrc >> (24 - 8 * i));
    }
    memcpy(nonce, by->nonce, NONCE);
    for (int i = 0; i < 6; i++) nonce[6 + i] ^= (uint8_t)(index >> (40 - 8 * i));
    return crypto.init(by->context, NULL, NULL, NULL, nonce) == 1 &&
           crypto.update(by->context, NULL, &done, out, HEADER) == 1 &&
           crypto.update(by->context, out + HEADER, &done, payload, size) == 1 &&
           crypto.final(by->context, out + HEADER + done, &last) == 1 &&
           crypto.control(by->context, AEAD_GET_TAG, TAG, out + HEADER + size) == 1;
}

static PyMemberDef sealer_members[] = {
    {"highest", T_LONGLONG, offsetof(Sealer, highest), 0, "Highest packet index used; -1: none."},
    {NULL},
};

static PyTypeObject SealerType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "poc_server.media._native.Sealer",
    .tp_basicsize = sizeof(Sealer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_init = (initproc)sealer_init,
    .tp_dealloc = (destructor)sealer_dealloc,
    .tp_members = sealer_members,
};
