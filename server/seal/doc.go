// Package seal encrypts Secrets at rest: AES-256-GCM, bound to the key in etcd under which an object is kept, so that
// what was written under one name cannot be put under another.
//
// A file has the keys, one a line in base64. The first writes, all read. To change keys, put a new one on top of the
// file and restart the servers; once they have sealed everything anew, the old one can go. With several servers the
// new key comes second at first, until all of them have it.
//
//	keys, err := seal.Load(path)
//	sealer := seal.New(keys, true)
package seal
