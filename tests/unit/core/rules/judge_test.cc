#include "core/rules/judge.h"

#include <doctest/doctest.h>
#include <zlib.h>

using namespace glovebox;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

OutputRules level4() {
  OutputRules rules;
  rules.extensions = {".csv",  ".jpg", ".jpeg", ".png",  ".svg", ".svgz",
                      ".html", ".txt", ".log",  ".json", ".md"};
  rules.file_bytes = 16ULL << 20U;
  rules.csv_rows = 5;
  return rules;
}

Judgement judged(const std::string& path, std::string_view content) {
  return judge(level4(), RelPath::parse(path).value(), content);
}

// The ids of the rules that withhold it, joined by blanks; empty: accepted.
std::string rules_of(const std::string& path, std::string_view content) {
  std::string ids;
  for (const RuleHit& hit : judged(path, content).hits) ids += (ids.empty() ? "" : " ") + hit.rule;
  return ids;
}

std::string rows_of_csv(std::size_t rows, const std::string& line_end = "\n") {
  std::string text = "sex,count" + line_end;
  for (std::size_t i = 0; i < rows; ++i) text += "F,10" + line_end;
  return text;
}

std::string gzipped(std::string_view text, int level = 9) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in(text);
  std::string out(deflateBound(&z, in.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

constexpr std::string_view kSvg =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"a\" \"b\">\n<svg width=\"1\"></svg>";

}  // namespace

TEST_CASE("an honest table is accepted, with its rows and columns") {
  const Judgement judgement = judged("output/t.csv", rows_of_csv(5));
  CHECK(judgement.hits.empty());
  CHECK(judgement.rows == 5);
  CHECK(judgement.columns == 2);
}

TEST_CASE("a table with one row too many is withheld, whatever ends its lines") {
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    CHECK(rules_of("t.csv", rows_of_csv(5, line_end)).empty());
    CHECK(rules_of("t.csv", rows_of_csv(6, line_end)) == "csv.rows");
  }
  std::string unended = rows_of_csv(6);
  unended.pop_back();
  CHECK(rules_of("t.csv", unended) == "csv.rows");
}

TEST_CASE("the message names the rule's numbers and nothing of the file") {
  const Judgement judgement = judged("t.csv", rows_of_csv(6));
  REQUIRE(judgement.hits.size() == 1);
  CHECK(judgement.hits[0].message ==
        "has more than 5 rows of data (a line break inside a cell counts as one)");
  CHECK(judged("t.csv", "patient_id\n").hits.at(0).message == "has a column called patient_id");
  CHECK(judged("t.xls", "").hits.at(0).message ==
        "its type is not one of .csv .html .jpeg .jpg .json .log .md .png .svg .svgz .txt");
}

TEST_CASE("rows hidden inside one quoted cell still count") {
  std::string text = "a,b\n1,\"";
  for (int i = 0; i < 10; ++i) text += "x,y\n";
  text += "\"\n";
  CHECK(rules_of("t.csv", text) == "csv.rows");
}

TEST_CASE("rows hidden behind another delimiter's quotes still count") {
  std::string text = "a;b\nx,\";1\n";
  for (int i = 0; i < 10; ++i) text += "x;1\n";
  text += "y,\";1\n";
  CHECK(rules_of("t.csv", text).find("csv.rows") != std::string::npos);
}

TEST_CASE("blank lines are not rows") {
  CHECK(rules_of("t.csv", "\n\na\n\n1\n\n\n2\n").empty());
  CHECK(judged("t.csv", "\n\na\n\n1\n\n\n2\n").rows == 2);
}

TEST_CASE("a patient_id column is found in every disguise") {
  const std::vector<std::string_view> disguises{
      "patient_id,age\n1,2\n",
      "age,patient_id\n1,2\n",
      "age,patient_id",
      "\xEF\xBB\xBFpatient_id,age\n",
      "\xEF\xBB\xBF\"patient_id\",age\n",
      "Patient_ID,age\n",
      "PATIENT_ID;age\n",
      "age\tpatient_id\r\n",
      "age|patient_id|x\r\n",
      " patient_id ,age\n",
      "\"patient_id\",\"age\"\n",
      "\" patient_id\n\",age\n",
      "'patient_id','age'\n",
      "\n\n\r\n  \npatient_id,age\n",
      ",,,\npatient_id,age\n",
      "\"\",\"\"\npatient_id,age\n",
      "sep=;\npatient_id;age\n",
      "\"sep=;\"\npatient_id;age\n",
      "# made by numpy\n# patient_id,age\n1,2\n",
      "#patient_id,age\n1,2\n",
      "patient_id\n1\n",
      "\"patient_id\" \"age\"\n1 2\n",
      "patient_id age\n1 2\n",
      "age  patient_id\n1 2\n",
      "\xC2\xA0patient_id\xC2\xA0,age\n",
      "\xE2\x80\x8Bpatient_id,age\n",
      "pat\xE2\x80\x8Bient_id,age\n",
      "age,patient_id\xE3\x80\x80\n",
      "age,\xF3\xA0\x80\xA0patient_id\n",
      "=\"patient_id\",age\n",
      "patient\xCD\x8F_id,age\n",                           // U+034F
      "\xE3\x85\xA4patient_id,age\n",                       // U+3164
      "\xE1\x85\x9Fpatient_id\xE1\x85\xA0,age\n",           // U+115F, U+1160
      "age,patient_\xEF\xBE\xA0id\n",                       // U+FFA0
      "pat\xE1\xA0\x8Bient\xF0\x9D\x85\xB3_id,age\n",       // U+180B, U+1D173
      "age,\xEF\xBC\xB0\xEF\xBD\x81tient\xEF\xBC\xBFid\n",  // full-width P, a and _
  };
  for (const std::string_view text : disguises) {
    CAPTURE(text);
    CHECK(rules_of("t.csv", text) == "csv.patient-id");
  }
  const std::string padded = std::string(5000, ' ') + "patient_id" + std::string(5000, ' ') + ",a\n";
  CHECK(rules_of("t.csv", padded) == "csv.patient-id");
  std::string invisible;
  for (int i = 0; i < 5000; ++i) invisible += "\xE2\x80\x8B";
  CHECK(rules_of("t.csv", "a," + invisible + "patient_id\n") == "csv.patient-id");
}

TEST_CASE("a table with control characters is withheld: some readers end rows at them") {
  for (const std::string control : {"\x0B", "\x0C", "\x1C", "\x01", "\x1F", "\x7F", "\xC2\x80", "\xC2\x85",
                                    "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    std::string text = "sex,count\n";
    for (int i = 0; i < 6000; ++i) text += "F,10" + control;
    CAPTURE(text.substr(0, 20));
    CHECK(rules_of("t.csv", text) == "csv.control");
    CHECK_FALSE(judged("t.csv", text).rows.has_value());
    CHECK(rules_of("t.txt", text).empty());
  }
  CHECK(rules_of("t.csv", "a,\x0Bpatient_id\x1F\n") == "csv.patient-id csv.control");
  CHECK(rules_of("t.csv", "a\tb\r\n\xC2\xA0\xC3\xA9\t\xE2\x80\xA7\xE2\x80\xAA\xF0\x9F\x98\x80\r\n").empty());
  CHECK(judged("t.csv", "a\x0B\n").hits.at(0).message ==
        "has control characters other than tabs and line breaks (such as a vertical tab, a form feed, U+0085 "
        "or "
        "U+2028), which some readers take for line breaks");
}

TEST_CASE("what only resembles a patient_id header passes") {
  for (const std::string_view text :
       {"patients,age\n"sv, "patient_id_count,age\n"sv, "my patient_id,age\n"sv, "number of patient_id,n\n"sv,
        "variable,meaning\npatient_id,the key\n"sv, "patient,_id\n"sv, "patient_idd,a\n"sv}) {
    CAPTURE(text);
    CHECK(rules_of("t.csv", text).empty());
  }
}

TEST_CASE("a file judged in pieces of any size is judged the same") {
  const std::vector<std::string> texts{"\xEF\xBB\xBF\"Patient_ID\"\t\"x\"\r\n1\t2\r\n",
                                       rows_of_csv(6, "\r\n"),
                                       "a,\"b\"\"c\n\",\xC3\xA9\n",
                                       "a,\"b",
                                       "a\xE2\x80\xA8"
                                       "b\n",
                                       "\xEF\xBC\xB0"
                                       "atient_id\n",
                                       std::string(kSvg)};
  for (const std::string& text : texts) {
    for (const char* name : {"t.csv", "t.svg"}) {
      const std::string whole = rules_of(name, text);
      for (std::size_t size = 1; size < 8; ++size) {
        FileJudge judge(level4(), RelPath::parse(name).value(), text.size());
        for (std::size_t at = 0; at < text.size(); at += size)
          judge.feed(std::string_view(text).substr(at, size));
        std::string ids;
        for (const RuleHit& hit : judge.finish().hits) ids += (ids.empty() ? "" : " ") + hit.rule;
        CHECK(ids == whole);
      }
    }
  }
}

TEST_CASE("a table that cannot be read reliably is withheld") {
  CHECK(rules_of("t.csv", "a,b\n1,\"2\n") == "csv.unparsable");
  CHECK(rules_of("t.csv", "a,b\n\"1\"2,3\n") == "csv.unparsable");
  CHECK(rules_of("t.csv", "\"patient\"_id,b\n") == "csv.unparsable");
  CHECK(rules_of("t.csv", "a,b\n\xE9,2\n") == "csv.unparsable");
  CHECK(rules_of("t.csv", "a,b\n2,\xC3") == "csv.unparsable");
  CHECK(rules_of("t.csv", "a," + std::string((1U << 20U) + 1, 'x')) == "csv.unparsable");
  CHECK(rules_of("t.csv", "a," + std::string((1U << 20U) - 1, 'x')).empty());
  CHECK_FALSE(judged("t.csv", "a,b\n1,\"2\n").rows.has_value());
}

TEST_CASE("UTF-16 is withheld, with and without its mark") {
  CHECK(rules_of("t.csv",
                 "\xFF\xFE"
                 "a\0,\0b\0\n\0"sv) == "type.content");
  CHECK(rules_of("t.csv", "p\0a\0t\0,\0"sv) == "type.content");
  CHECK(rules_of("t.txt", "\xFE\xFF\0a"sv) == "type.content");
}

TEST_CASE("doubled quotes, delimiters and line breaks in quotes are sound") {
  CHECK(rules_of("t.csv", "a,b\n\"x \"\"y\"\", z\",\"1\n2\"\n").empty());
  CHECK(judged("t.csv", "a,b\n\"x \"\"y\"\", z\",\"1\n2\"\n").rows == 1);
  CHECK(judged("t.csv", "a;b;\"c,d,e,f\"\n").columns == 3);
}

TEST_CASE("an empty table has no rows and no columns") {
  const Judgement judgement = judged("t.csv", "");
  CHECK(judgement.hits.empty());
  CHECK(judgement.rows == 0);
  CHECK(judgement.columns == 0);
}

TEST_CASE("extensions are compared exactly, on the last suffix") {
  for (const char* name : {"t.CSV", "t.csv.gz", "t.rds", "t.csv ", "csv", "t.xlsx"}) {
    CAPTURE(name);
    CHECK(rules_of(name, "a,b\n") == "type.ext");
  }
  CHECK(rules_of("a.b/t.txt", "x").empty());
}

TEST_CASE("an extension that policy allows but no check knows is withheld") {
  OutputRules rules = level4();
  rules.extensions.insert(".pdf");
  const Judgement judgement = judge(rules, RelPath::parse("a.pdf").value(), "%PDF-1.4");
  REQUIRE(judgement.hits.size() == 1);
  CHECK(judgement.hits[0].message == "no check exists for files of its type");
}

TEST_CASE("a file over the size limit is withheld without being read") {
  OutputRules rules = level4();
  rules.file_bytes = 10;
  FileJudge judge(rules, RelPath::parse("t.csv").value(), 11);
  CHECK_FALSE(judge.wants_content());
  const Judgement judgement = judge.finish();
  REQUIRE(judgement.hits.size() == 1);
  CHECK(judgement.hits[0].rule == "size");
  CHECK(judgement.hits[0].message == "is larger than 10 bytes");
  FileJudge fits(rules, RelPath::parse("t.csv").value(), 10);
  CHECK(fits.wants_content());
}

TEST_CASE("a judge that was not given the whole file withholds it") {
  for (const char* content : {"a,b", "a,b\n1,2\n3"}) {
    FileJudge judge(level4(), RelPath::parse("t.csv").value(), 8);
    judge.feed(content);
    const Judgement judgement = judge.finish();
    REQUIRE(judgement.hits.size() == 1);
    CHECK(judgement.hits[0].rule == "unreadable");
  }
}

TEST_CASE("content that is not what the name says is withheld") {
  const std::vector<std::string_view> disguised{
      "\x1f\x8b\x08",      "PK\x03\x04",       "ARROW1\0\0"sv,        "PAR1",    "%PDF-1.7",
      "\x89PNG\r\n\x1a\n", "\xff\xd8\xff\xe0", "SQLite format 3\0"sv, "RDX3\nX", "<stata_dta>"};
  for (const std::string_view bytes : disguised) {
    for (const char* name : {"t.csv", "t.txt", "t.log", "t.json", "t.md", "t.html", "t.svg"}) {
      CAPTURE(name);
      CAPTURE(bytes);
      CHECK(rules_of(name, bytes).find("type.content") != std::string::npos);
    }
  }
  CHECK(rules_of("t.txt", "a\0b"sv) == "type.content");
  CHECK(rules_of("t.txt", "caf\xE9") == "type.content");
  CHECK(rules_of("t.txt", "caf\xC3\xA9").empty());
  CHECK(judged("t.csv", "PAR1").hits.at(0).message ==
        "is a Parquet file by its content, not what its name says");
}

TEST_CASE("pictures need the signature of their format") {
  CHECK(rules_of("p.png", "\x89PNG\r\n\x1a\nrest").empty());
  CHECK(rules_of("p.jpg", "\xff\xd8\xff\xe0").empty());
  CHECK(rules_of("p.jpeg", "\xff\xd8\xff\xe0").empty());
  CHECK(rules_of("p.png", "\xff\xd8\xff\xe0") == "type.content");
  CHECK(rules_of("p.jpg", "\x89PNG\r\n\x1a\n") == "type.content");
  CHECK(rules_of("p.png", "patient_id,age\n") == "type.content");
  CHECK(rules_of("p.png", "") == "type.content");
}

TEST_CASE("HTML and SVG must begin like it") {
  CHECK(rules_of("p.html", "<!DOCTYPE html><html>").empty());
  CHECK(rules_of("p.html", "\xEF\xBB\xBF\n <table>").empty());
  CHECK(rules_of("p.html", "a,b\n1,2\n") == "type.content");
  CHECK(rules_of("p.svg", kSvg).empty());
  CHECK(rules_of("p.svg", "<svg></svg>").empty());
  CHECK(rules_of("p.svg", "<!-- a > b --><ns0:svg xmlns:ns0=\"x\"/>").empty());
  CHECK(rules_of("p.svg", "<!DOCTYPE svg [<!ENTITY a \">\">]><svg/>").empty());
  CHECK(rules_of("p.svg", "<html></html>") == "type.content");
  CHECK(rules_of("p.svg", "<svgx>") == "type.content");
  CHECK(rules_of("p.svg", "<!-- never ends <svg>") == "type.content");
  CHECK(rules_of("p.svg", "text <svg>") == "type.content");
  CHECK(rules_of("p.svg", "") == "type.content");
}

TEST_CASE("svgz must be one gzip member that holds an SVG") {
  const std::string good = gzipped(kSvg);
  CHECK(rules_of("p.svgz", good).empty());
  CHECK(rules_of("p.svgz", kSvg) == "type.content");
  CHECK(rules_of("p.svgz", good.substr(0, good.size() - 1)) == "type.content");
  CHECK(rules_of("p.svgz", good + "x") == "type.content");
  CHECK(rules_of("p.svgz", good + good) == "type.content");
  CHECK(rules_of("p.svgz", gzipped("patient_id,age\n")) == "type.content");
  CHECK(rules_of("p.svgz", gzipped(std::string(kSvg) + "\0"s)) == "type.content");
  CHECK(rules_of("p.svgz", "") == "type.content");
  std::string broken = good;
  broken[broken.size() - 5] ^= 1;  // of the checksum
  CHECK(rules_of("p.svgz", broken) == "type.content");
  for (std::size_t size = 1; size < 5; ++size) {
    FileJudge judge(level4(), RelPath::parse("p.svgz").value(), good.size());
    for (std::size_t at = 0; at < good.size(); at += size)
      judge.feed(std::string_view(good).substr(at, size));
    CHECK(judge.finish().hits.empty());
  }
}

TEST_CASE("a decompression bomb is stopped at its limit") {
  const std::string bomb = gzipped(std::string(kSvg) + std::string(30U << 20U, ' '));
  CHECK(bomb.size() < 100'000);
  const Judgement judgement = judged("p.svgz", bomb);
  REQUIRE(judgement.hits.size() == 1);
  CHECK(judgement.hits[0].message == "unpacks to more than 16 MiB or 100 times its size");
}

TEST_CASE("a judgement survives the way from a worker, and a forged one does not") {
  const Judgement judgement = judged("t.csv", rows_of_csv(6));
  const auto back = judgement_from_json(judgement_json(judgement));
  REQUIRE(back.ok());
  CHECK(judgement_json(*back) == judgement_json(judgement));
  for (const char* text :
       {"[]", "{}", R"({"hits":{},"rows":1,"columns":1})", R"({"hits":[{"rule":"nonsense","message":"m"}]})",
        R"({"hits":[{"rule":"size","message":"a\u001b[2J"}]})", R"({"hits":[],"rows":-1})",
        R"({"hits":[],"rows":1.5})", R"({"hits":[],"extra":1})", R"({"hits":[{"rule":"size"}]})"}) {
    CAPTURE(text);
    CHECK_FALSE(judgement_from_json(parse_json(text, "t").value()).ok());
  }
}
