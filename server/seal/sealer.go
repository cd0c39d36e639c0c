package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/store"
)

// prefix starts what is sealed: the scheme, then the key's fingerprint and a colon, a nonce, the ciphertext.
const prefix = "k8s:enc:aesgcm:v1:"

var secrets = schema.GroupResource{Resource: "secrets"}

// Sealer seals Secrets. It is a store.Sealer.
type Sealer struct {
	keys  Keys
	write bool
}

// New returns a sealer that reads with all keys and, when it is to write, writes with the first.
func New(keys Keys, write bool) *Sealer { return &Sealer{keys: keys, write: write && len(keys) > 0} }

// Seals implements store.Sealer.
func (s *Sealer) Seals(gr schema.GroupResource) bool { return gr == secrets }

// Seal implements store.Sealer.
func (s *Sealer) Seal(k store.Key, plain []byte) ([]byte, error) {
	if !s.write {
		return plain, nil
	}
	first := s.keys[0]
	head := len(prefix) + len(first.id) + 1
	sealed := make([]byte, head+first.aead.NonceSize(), head+first.aead.NonceSize()+len(plain)+first.aead.Overhead())
	copy(sealed, prefix+first.id+":")
	nonce := sealed[head:]
	_, _ = rand.Read(nonce) // never fails
	return first.aead.Seal(sealed, nonce, plain, []byte(k.String())), nil
}

var errForged = errors.New("it was not sealed under this name, or has been changed since")

// Open implements store.Sealer. What was never sealed is as it is.
func (s *Sealer) Open(k store.Key, stored []byte) (plain []byte, stale bool, err error) {
	rest, sealed := bytes.CutPrefix(stored, []byte(prefix))
	if !sealed {
		return stored, s.write, nil
	}
	id, rest, _ := bytes.Cut(rest, []byte(":"))
	for i, key := range s.keys {
		if key.id != string(id) {
			continue
		}
		size := key.aead.NonceSize()
		if len(rest) < size {
			return nil, false, errForged
		}
		plain, err := key.aead.Open(nil, rest[:size], rest[size:], []byte(k.String()))
		if err != nil {
			return nil, false, errForged
		}
		return plain, i > 0 || !s.write, nil
	}
	return nil, false, fmt.Errorf("%w: %q", store.ErrNoKey, id)
}
