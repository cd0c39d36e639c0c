package seal

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// keySize is that of AES-256, in bytes.
const keySize = 32

// key is one key, by its fingerprint.
type key struct {
	id   string
	aead cipher.AEAD
}

func newKey(raw []byte) (key, error) {
	if len(raw) != keySize {
		return key{}, fmt.Errorf("a key has %d bytes, not %d", len(raw), keySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCM(block)
	fingerprint := sha256.Sum256(raw)
	return key{id: hex.EncodeToString(fingerprint[:8]), aead: aead}, err
}

// Keys are in the order of their file: the first one writes.
type Keys []key

// Load reads a file of keys; none when there is no such file.
func Load(path string) (Keys, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the keys that Secrets are sealed with: %w", err)
	}
	keys, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading the keys in %s: %w", path, err)
	}
	return keys, nil
}

// parse reads one key a line. Empty lines and those that start with # say nothing.
func parse(text []byte) (Keys, error) {
	var keys Keys
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("line %d is not base64", n) // the decoder's own words would show part of a key
		}
		k, err := newKey(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key")
	}
	return keys, nil
}

const heading = `# The keys that Secrets are sealed with in etcd. The first one writes, all read.
# Whoever loses this file loses the Secrets: keep a copy.
`

// LoadOrCreate makes a file with one new key where there is none.
func LoadOrCreate(path string) (Keys, error) {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails
	err := create(path, heading+base64.StdEncoding.EncodeToString(raw)+"\n")
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the keys that Secrets are sealed with: %w", err)
	}
	return Load(path)
}

// create writes a file that must not be there yet, to disk.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}
