package rest

import (
	"hash/crc32"
	"math/bits"
)

// A gzip stream ends with the CRC-32 of all that it holds. That of several pieces after each other follows from theirs:
// appending n bytes multiplies a CRC, which is a polynomial over GF(2), by x to the power of 8n, modulo the CRC's own
// polynomial. Bits stand in reverse: the highest one is the coefficient of x⁰.

const one = 1 << 31 // the polynomial 1

// multiply gives the product of two polynomials modulo the CRC's.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		if a&one != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return product
}

// shiftOf is what appending so many bytes multiplies a CRC by.
func shiftOf(size int) uint32 {
	shift, square := uint32(one), uint32(one>>8) // x⁰, and x⁸ to the power of 1, 2, 4, …
	for n := uint(size); n != 0; n >>= 1 {
		if n&1 != 0 {
			shift = multiply(shift, square)
		}
		if bits.Len(n) > 1 {
			square = multiply(square, square)
		}
	}
	return shift
}

// joinCRC is the CRC-32 of what has the first one, followed by what has the second one and moves CRCs by shift.
func joinCRC(first, second, shift uint32) uint32 { return multiply(first, shift) ^ second }
