package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
)

// Key is one key of ES256.
type Key struct {
	private *ecdsa.PrivateKey // nil where only the public half is known
	public  *ecdsa.PublicKey
	id      string // which key a token says it was signed with
}

func makeKey(path string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// writeWhole writes a private file so that it is there whole, or not at all.
func writeWhole(path string, raw []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func parseKey(block *pem.Block) (*Key, error) {
	parsed, err := parseBlock(block)
	if err != nil {
		return nil, err
	}
	k := &Key{}
	switch half := parsed.(type) {
	case *ecdsa.PrivateKey:
		k.private, k.public = half, &half.PublicKey
	case *ecdsa.PublicKey:
		k.public = half
	}
	if k.public == nil || k.public.Curve != elliptic.P256() {
		return nil, fmt.Errorf("a %T is not an ECDSA key on the curve P-256", parsed)
	}
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	k.id = base64.RawURLEncoding.EncodeToString(sum[:])
	return k, nil
}

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("a %q is no key", block.Type)
}

// jwk is the public half as an entry of a key set.
func (k *Key) jwk() (map[string]string, error) {
	point, err := k.public.Bytes() // 4, then both coordinates
	if err != nil {
		return nil, err
	}
	half := (len(point) - 1) / 2
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"use": "sig", "kty": "EC", "kid": k.id, "crv": "P-256", "alg": "ES256",
		"x": encode(point[1 : 1+half]), "y": encode(point[1+half:]),
	}, nil
}
