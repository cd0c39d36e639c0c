// Package signer says who may approve and sign certificate signing requests, and what nobody may ask for.
//
// A user approves requests to a signer who may "approve" the resource "signers" of certificates.k8s.io under the
// signer's name, or under "example.com/*" for all signers of a domain; signing takes the verb "sign" likewise, and
// writing a ClusterTrustBundle of a signer the verb "attest".
package signer
