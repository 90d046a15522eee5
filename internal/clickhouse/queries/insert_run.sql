-- arrayZip keeps the cutoff's three columns plain bound parameters.
INSERT INTO runs (number, month, created_at, first_month, currency, zone, cutoff)
SELECT
    {number:Int64}, {month:String}, {created_at:DateTime64(3, 'UTC')}, {first_month:String}, {currency:String},
    {zone:String}, arrayZip({topics:Array(String)}, {partitions:Array(Int32)}, {ends:Array(Int64)})
