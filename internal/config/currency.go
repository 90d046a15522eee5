package config

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/currency"
)

// minorDigits is how many decimals a currency's minor unit has by ISO 4217.
//
// That a code is one is the library's to say, the decimals are not: it holds
// what people like to see written, 0 for IDR, COP, PKR and some twenty more
// whose minor unit is a hundredth, and 0 for IQD, whose is a thousandth.
func minorDigits(code string) (int32, error) {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 0, fmt.Errorf("currency %q: %w", code, err)
	}
	if unit.String() != code {
		return 0, fmt.Errorf("currency %q is not in capitals", code)
	}
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0, nil
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3, nil
	case "CLF":
		return 4, nil
	}
	// X without a country: metals, units of account, tests, no currency.
	if strings.HasPrefix(code, "X") && code != "XCD" {
		return 0, errors.New("currency " + code + " has no minor unit")
	}
	return 2, nil
}
