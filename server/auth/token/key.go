package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Key signs tokens with ES256.
type Key struct {
	private *ecdsa.PrivateKey
	id      string // which key a token says it was signed with
}

// OpenKey loads a key from a PEM file, making one where there is none.
func OpenKey(path string) (*Key, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if raw, err = makeKey(path); err != nil {
			return nil, fmt.Errorf("making the key of service accounts' tokens: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("reading the key of service accounts' tokens: %w", err)
	}
	key, err := parseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("reading the key of service accounts' tokens from %s: %w", path, err)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	raw := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return raw, writeWhole(path, raw)
}

// writeWhole writes a private file so that it is there whole, or not at all.
func writeWhole(path string, raw []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func parseKey(raw []byte) (*Key, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if parsed, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
			return nil, err
		}
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("a %T is not an ECDSA key on the curve P-256", parsed)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return &Key{private, base64.RawURLEncoding.EncodeToString(sum[:])}, nil
}

// keySet is the public key as JSON (RFC 7517), by which anybody can check a token.
func (k *Key) keySet() ([]byte, error) {
	point, err := k.private.PublicKey.Bytes() // 4, then both coordinates
	if err != nil {
		return nil, err
	}
	half := (len(point) - 1) / 2
	encode := base64.RawURLEncoding.EncodeToString
	return json.Marshal(map[string]any{"keys": []map[string]string{{
		"use": "sig", "kty": "EC", "kid": k.id, "crv": "P-256", "alg": "ES256",
		"x": encode(point[1 : 1+half]), "y": encode(point[1+half:]),
	}}})
}
