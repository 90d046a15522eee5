package codec

import (
	"github.com/reckon-billing/reckon/schemas"
	"slices"
)

// attribute is one of the CloudEvents attributes that have rules of their own.
type attribute int

const (
	attrSpecVersion attribute = iota
	attrID
	attrSource
	attrType
	attrSubject
	attrTime
	attrSequence
	attrDataContentType
	attrDataSchema
	attrDataBase64
	attributeCount
)

// attributeSet is a set of attributes.
type attributeSet uint32

// There are no more attributes than a set has room for, else this does not compile.
const _ = uint(32 - attributeCount)

func attributeNames() [attributeCount]string {
	return [...]string{
		"specversion", "id", "source", "type", "subject", "time", "sequence",
		"datacontenttype", "dataschema", "data_base64",
	}
}

func (a attribute) String() string { return attributeNames()[a] }

// attributeNamed is the attribute of that name, -1 for none of them.
func attributeNamed(name string) attribute {
	names := attributeNames()
	return attribute(slices.Index(names[:], name))
}

// field is a field of data, of an item or of a coupon.
type field int

const (
	fieldAccountID field = iota
	fieldResourceName
	fieldProduct
	fieldService
	fieldMode
	fieldItems
	fieldCoupon
	fieldExpiresAt
	fieldAutoRenew
	fieldItem
	fieldValue
	fieldCode
	fieldUnit
	fieldUnitPrice
	fieldQuantity
	fieldMeter
	fieldPer
	fieldDiscountPercent
	fieldTaxPercent
	fieldFreeQuantity
	fieldCount
)

func fieldNames() [fieldCount]string {
	return [...]string{
		"account_id", "resource_name", "product", "service", "mode", "items", "coupon",
		"expires_at", "auto_renew", "item", "value", "code", "unit", "unit_price", "quantity",
		"meter", "per", "discount_percent", "tax_percent", "free_quantity",
	}
}

func (f field) String() string { return fieldNames()[f] }

// fieldNamed is the field of that name, -1 for none of them.
func fieldNamed(name string) field {
	names := fieldNames()
	return field(slices.Index(names[:], name))
}

// fieldSet is a set of fields.
type fieldSet uint64

// There are no more fields than a set has room for, else this does not compile.
const _ = uint(64 - fieldCount)

func fieldsOf(fields ...field) (s fieldSet) {
	for _, f := range fields {
		s |= 1 << f
	}
	return s
}

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// Types lists the types of events (contract 2).
func Types() []schemas.Type {
	return []schemas.Type{
		schemas.AccountModeChanged, schemas.ResourceCreated, schemas.ResourceResized, schemas.ResourceRenewed, schemas.ResourceSuspended,
		schemas.ResourceResumed, schemas.ResourceDeleted, schemas.ResourceRecovered, schemas.ResourceProvisionFailed, schemas.UsageRecorded,
	}
}

// dataFields are the fields that data of the type must have and may have; ok is
// false for a type that there is not (contract 2).
func dataFields(t schemas.Type) (required, optional fieldSet, ok bool) {
	switch t {
	case schemas.AccountModeChanged:
		return fieldsOf(fieldAccountID, fieldMode), 0, true
	case schemas.ResourceCreated:
		return fieldsOf(fieldAccountID, fieldResourceName, fieldProduct, fieldService, fieldItems),
			fieldsOf(fieldMode, fieldCoupon, fieldExpiresAt, fieldAutoRenew), true
	case schemas.ResourceResized:
		return fieldsOf(fieldAccountID, fieldItems), 0, true
	case schemas.ResourceRenewed:
		return fieldsOf(fieldAccountID, fieldExpiresAt), fieldsOf(fieldItems, fieldCoupon), true
	case schemas.ResourceSuspended, schemas.ResourceResumed, schemas.ResourceDeleted, schemas.ResourceProvisionFailed:
		return fieldsOf(fieldAccountID), 0, true
	case schemas.ResourceRecovered:
		return fieldsOf(fieldAccountID), fieldsOf(fieldItems, fieldCoupon, fieldExpiresAt), true
	case schemas.UsageRecorded:
		return fieldsOf(fieldAccountID, fieldItem, fieldValue), 0, true
	}
	return 0, 0, false
}

// itemFields are the fields that an item must have and may have; of quantity
// and meter it has exactly one.
func itemFields() (required, optional fieldSet) {
	return fieldsOf(fieldItem, fieldUnit, fieldUnitPrice),
		fieldsOf(fieldQuantity, fieldMeter, fieldPer, fieldDiscountPercent, fieldTaxPercent, fieldFreeQuantity)
}

func couponFields() fieldSet { return fieldsOf(fieldCode, fieldValue) }

func ofAccount(t schemas.Type) bool { return t == schemas.AccountModeChanged }
