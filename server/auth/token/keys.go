package token

import (
	"crypto"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Keys are the keys of a PEM file: the first one signs tokens, and tokens of all of them are good. Public keys may stand
// behind it too. The file is read again when it changes, so that keys can be changed without a break:
//
//  1. a new key is added at the end of the file of every server, which all take its tokens from then on
//  2. it is moved to the front: it signs
//  3. the old one is removed when its last token has expired
type Keys struct {
	path string

	mu      sync.Mutex
	modTime time.Time
	size    int64
	list    []*Key
}

// OpenKeys reads a file of keys, making it with one where there is none.
func OpenKeys(path string) (*Keys, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(path); err != nil {
			return nil, fmt.Errorf("making the key of service accounts' tokens: %w", err)
		}
	}
	k := &Keys{path: path}
	if err := k.read(); err != nil {
		return nil, fmt.Errorf("reading the keys of service accounts' tokens from %s: %w", path, err)
	}
	return k, nil
}

// current are the file's keys now; those before, while it cannot be read.
func (k *Keys) current() []*Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if err == nil && info.ModTime().Equal(k.modTime) && info.Size() == k.size {
		return k.list
	}
	if err == nil {
		err = k.read()
	}
	if err != nil {
		slog.Warn("The keys of service accounts' tokens cannot be read again; those from before stay", "file", k.path, "error", err)
	}
	return k.list
}

// read replaces the keys by the file's. A file that is wrong is told of once.
func (k *Keys) read() error {
	info, err := os.Stat(k.path)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(k.path)
	if err != nil {
		return err
	}
	k.modTime, k.size = info.ModTime(), info.Size()
	list, err := parseKeys(raw)
	if err == nil {
		k.list = list
	}
	return err
}

func parseKeys(raw []byte) ([]*Key, error) {
	var list []*Key
	for {
		block, rest := pem.Decode(raw)
		if block == nil {
			break
		}
		key, err := parseKey(block)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(list)+1, err)
		}
		list, raw = append(list, key), rest
	}
	switch {
	case len(list) == 0:
		return nil, errors.New("it has no key in PEM")
	case list[0].private == nil:
		return nil, errors.New("its first key cannot sign: it is a public one")
	}
	return list, nil
}

// signer is the key that signs.
func (k *Keys) signer() *Key { return k.current()[0] }

// public is the key by which a token that names it is checked.
func (k *Keys) public(id any) (crypto.PublicKey, error) {
	for _, key := range k.current() {
		if key.id == id {
			return key.public, nil
		}
	}
	return nil, errors.New("the token was signed with another key")
}

// keySet is the public keys as JSON (RFC 7517), by which anybody can check a token.
func (k *Keys) keySet() ([]byte, error) {
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	for _, key := range k.current() {
		public, err := key.jwk()
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
	}
	return json.Marshal(set)
}
