"""Texts by which a local count is compared with the platform's: always the same, so that all processes learn alike."""

from collections.abc import Mapping
from typing import Literal

Script = Literal["latin", "cjk", "other"]

_ENGLISH = (
    "The northern line was closed for eleven days in March, because water had entered the lower signal room. "
    "Passengers were carried by bus between Harbour Square and Millbrook; about 4,300 journeys a day were made that "
    "way, which is 18 percent less than in an ordinary week. According to the maintenance contract (section 7.2), the "
    "contractor inspects pumps, seals and float switches every six months, and notifies the operator in writing of "
    "any deviation above 0.5 mm. No such notification was received. The committee therefore recommends: (a) a second "
    "pump with its own power supply, (b) temperature and humidity sensors in all rooms below street level, and (c) "
    "an independent review of the procurement procedure before the end of the financial year 2024/25."
)
_GERMAN = (
    "Die Geschäftsführung hat über die Höhe der Rückstellungen für Gewährleistungsansprüche ausführlich berichtet. "
    "Gegenüber dem Vorjahr erhöhten sich die Aufwendungen um 1,4 Mio. Euro auf 12,9 Mio. Euro; maßgeblich waren "
    "gestiegene Rohstoffpreise sowie die Übernahme zweier Zulieferbetriebe. Gemäß § 12 Abs. 3 der Satzung beschließt "
    "die Hauptversammlung über die Verwendung des Überschusses. Les travaux de réfection du réseau ont été achevés "
    "à l'été; la société prévoit d'étendre le réseau aux régions périphériques dès l'année prochaine."
)
_CHINESE = (
    "根据《城市供水管理条例》第十二条的规定，用户应当在收到缴费通知之日起三十日内缴纳水费。逾期不缴纳的，供水单位可以按照合同约定加收违约金，"
    "但不得因此停止居民生活用水的供应。本年度共完成管道改造四十六公里，投资约三千二百万元，漏损率由百分之十五下降到百分之九。"
    "各部门应当建立健全安全生产责任制度，定期组织检查，发现问题及时整改，并将结果书面报告主管机关。"
)
_JAPANESE = (
    "当社は、電子部品および半導体製造装置の開発・製造・販売を行っております。当連結会計年度の売上高は、前年同期に比べて増加いたしました。"
    "ご利用の前に、この取扱説明書をよくお読みのうえ、正しくお使いください。お読みになったあとは、いつでも見られるところに保管してください。"
)
_RUSSIAN = (
    "Настоящий договор вступает в силу с момента его подписания обеими сторонами и действует до полного исполнения "
    "обязательств. Исполнитель обязан устранить выявленные недостатки в течение десяти рабочих дней за свой счёт. "
    "Среднегодовая температура воды в водохранилище повысилась, что повлияло на численность отдельных видов рыб."
)
_ARABIC = (
    "تلتزم الشركة بتقديم تقرير سنوي عن جودة المياه إلى الجهة المختصة، ويجب أن يتضمن التقرير نتائج الفحوص الشهرية. "
    "يحق للمشترك الاعتراض على الفاتورة خلال ثلاثين يوما من تاريخ استلامها."
)
_HINDI = (
    "उपभोक्ता को बिल प्राप्त होने के तीस दिनों के भीतर भुगतान करना होगा। जल की गुणवत्ता की जाँच प्रत्येक माह की जाती है और "
    "परिणाम सार्वजनिक रूप से प्रकाशित किए जाते हैं।"
)

SAMPLES: Mapping[Script, tuple[str, ...]] = {
    "latin": (_ENGLISH, _GERMAN),
    "cjk": (_CHINESE, _JAPANESE),
    "other": (_RUSSIAN, _ARABIC, _HINDI),
}
