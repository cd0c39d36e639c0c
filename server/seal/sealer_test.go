package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leme/server/store"
)

func newTestKey(t testing.TB, first byte) key {
	t.Helper()
	k, err := newKey(bytes.Repeat([]byte{first}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func secret(name string) store.Key {
	return store.Key{GroupResource: secrets, Namespace: "default", Name: name}
}

func seal(t testing.TB, s *Sealer, k store.Key, plain string) []byte {
	t.Helper()
	sealed, err := s.Seal(k, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealer(t *testing.T) {
	older, newer := newTestKey(t, 1), newTestKey(t, 2)
	before, after := New(Keys{older}, true), New(Keys{newer, older}, true)
	sealed := seal(t, before, secret("a"), "password")
	if bytes.Contains(sealed, []byte("password")) {
		t.Error("the text can be read")
	}
	if bytes.Equal(sealed, seal(t, before, secret("a"), "password")) {
		t.Error("the same text is sealed alike twice")
	}
	forged := slices.Clone(sealed)
	forged[len(forged)-1] ^= 1
	for _, test := range []struct {
		name   string
		sealer *Sealer
		key    store.Key
		stored []byte
		stale  bool
		err    error
	}{
		{"the same key", before, secret("a"), sealed, false, nil},
		{"after a rotation", after, secret("a"), sealed, true, nil},
		{"sealed anew", after, secret("a"), seal(t, after, secret("a"), "password"), false, nil},
		{"not sealed yet", before, secret("a"), []byte("password"), true, nil},
		{"to be sealed no more", New(Keys{older}, false), secret("a"), sealed, true, nil},
		{"never to be sealed", New(nil, false), secret("a"), []byte("password"), false, nil},
		{"without its key", New(Keys{newer}, true), secret("a"), sealed, false, store.ErrNoKey},
		{"without keys", New(nil, false), secret("a"), sealed, false, store.ErrNoKey},
		{"under another name", before, secret("b"), sealed, false, errForged},
		{"changed", before, secret("a"), forged, false, errForged},
		{"cut off", before, secret("a"), sealed[:len(prefix)+20], false, errForged},
	} {
		t.Run(test.name, func(t *testing.T) {
			plain, stale, err := test.sealer.Open(test.key, test.stored)
			if !errors.Is(err, test.err) || err == nil && string(plain) != "password" || stale != test.stale {
				t.Errorf("got %q, stale %t, %v", plain, stale, err)
			}
		})
	}
}

func TestKeysAreMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if keys, err := Load(path); keys != nil || err != nil {
		t.Errorf("without a file there are %d keys, %v", len(keys), err)
	}
	first, err := LoadOrCreate(path)
	if err != nil || len(first) != 1 {
		t.Fatalf("got %d keys, %v", len(first), err)
	}
	again, err := LoadOrCreate(path)
	if err != nil || again[0].id != first[0].id {
		t.Errorf("the key has changed, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "there is no key",
		"# nothing\n\n":      "there is no key",
		"# one\nnot base64!": "line 2 is not base64",
		"AAAA":               "line 1: a key has 3 bytes, not 32",
	} {
		if _, err := parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := New(Keys{newTestKey(f, 1)}, true)
	f.Add(seal(f, s, secret("a"), "x"))
	f.Add([]byte(prefix))
	f.Fuzz(func(t *testing.T, stored []byte) {
		plain, _, err := s.Open(secret("b"), stored)
		if err == nil && !bytes.Equal(plain, stored) {
			t.Errorf("%q was opened as %q", stored, plain)
		}
	})
}
