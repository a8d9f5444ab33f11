"""What people write who sell something to the owner of a form, and what robots write into any form.

Each phrase is in the voice of the one who offers, so that a client who asks for the same thing does not use it: "we offer
SEO" is here, "how much is SEO" is not. All are searched in folded text (`crm_core.spam.texts.folded`).
"""

from __future__ import annotations

import re
from typing import Final

PHRASES: Final = (
    # Search rank, links, traffic
    r"(?:first|1st|top) page (?:of|on|in) google", r"rank(?:ing|s|ed)? (?:higher |well |better )?(?:on|in) (?:google|search)",
    r"(?:seo|digital marketing|web ?design|link building|lead generation) (?:services?|agency|company|expert|specialist|packages?)",
    r"(?:back ?links?|guest posts?|sponsored (?:posts?|articles?)|domain (?:authority|rating)|da ?\d\d\+?)",
    r"(?:increase|boost|improve|grow|skyrocket|drive|more|targeted|organic) (?:your |more |the |organic |targeted |website )*(?:traffic|ranking|rankings|visibility|online presence|sales leads)",
    r"(?:i|we) (?:was|were|am|are)?\s?(?:just )?(?:came across|come across|noticed|found|visited|visiting|reviewed|reviewing|looking at|browsing|stumbled upon|checked out|went through) (?:your|you) (?:web ?site|web ?page|site|company|business|online)",
    r"(?:errors?|issues?) (?:on|with|in) your (?:web ?site|site)", r"free (?:seo |website |site )?(?:audit|analysis|proposal|mock ?up|quote for your site)",
    r"(?:send|share|email) (?:you )?(?:our |the |my |a |more )*(?:details?|packages?|price list|quote|proposal|portfolio|samples?)",
    r"(?:redesign|re-design|revamp) (?:of )?your (?:web ?site|site)",
    # Mailings through forms, lists of addresses, fans and followers
    r"(?:contact|feedback) ?forms? (?:submission|submitting|mailing|marketing|blast|messages?|advertising)",
    r"(?:submit|send|deliver|post)\w* (?:your |ads? |messages? |commercial )+(?:to|through|via) (?:millions|contact forms|feedback forms|website forms)",
    r"(?:e-?mail|contact|business|leads?|customer) (?:lists?|data ?bases?)", r"(?:real|buy|active|new|more) (?:instagram |tiktok |youtube |social )?(?:followers|subscribers|likes)",
    r"(?:attendees?|exhibitors?|visitors?|decision[- ]makers?|ceo|executives?) (?:e-?mail |contact |mailing )?(?:lists?|data ?bases?)",
    r"interested in (?:acquiring|purchasing|buying|having|getting|obtaining) (?:the |an? |our |this )?[\w ,&-]{0,40}?(?:lists?|data ?bases?|leads)\b",
    r"\d[\d,. ]*\+? (?:verified|opted[- ]in|targeted|fresh) (?:contacts?|e-?mails?|leads?|records?)", r"repl(?:y|ies) (?:with )?(?:yes|y|send|interested|\"yes\")\b",
    r"this (?:message|letter|offer) (?:is|was) (?:created |sent )?(?:to you )?automatic", r"(?:send|sending|sent|deliver\w*) (?:our |commercial |your |advertising |mass )*(?:letters?|messages?|offers?|ads?) (?:through|via|by|to|using) (?:the |your )?(?:contact|feedback|forms|web)", r"(?:through|via|using) (?:contact|feedback) forms", r"(?:opt[- ]?out|unsubscribe|stop receiving|remove you from)",
    r"(?:message|letter)s? (?:reach|sent) (?:you )?(?:through|via|using) (?:your |the )?(?:contact|feedback)",
    r"dear (?:sir|madam|owner|business owner|site owner|website owner|webmaster|admin|ceo|manager|beneficiary|friend)",
    r"(?:whatsapp|telegram|skype|email)(?: us| me)? (?:at|on|us|me|:|-)+ ?(?:\+|https?|@|live:|t\.me|wa\.me)",
    # Money, play, love, pills
    r"(?:crypto|bitcoin|btc|forex|usdt|ethereum)[\w ]{0,20} (?:investment|investing|trading|wallet|profit|mining|signals?|transfer|balance|platform|giveaway)",
    r"(?:earn|make|made|earning|passive income|get|profit)[\w ]{0,20} (?:\$|€|£|usd|eur)? ?\d[\d.,]*k? ?(?:\$|€|usd|eur|dollars?)?[\w ]{0,10} (?:per|a|every|each|in) (?:day|week|month|hour)",
    r"(?:business|personal|unsecured|quick|working capital) (?:loans?|funding|financing) (?:at|up to|with|approved|available|from)", r"(?:we|i) (?:offer|give|provide|grant)(?: out)? (?:\w+ ){0,3}?(?:loans?|credits?|financing|funding)\b", r"\d+(?:\.\d+)? ?% (?:interest|annual|per annum)[^\n]{0,60}?(?:apply|contact|whats ?app|reply|collateral|e-?mail)", r"(?:online )?casinos? (?:bonus|games?|slots?|online|sites?)", r"(?:free spins|no deposit|bet(?:ting)? (?:site|bonus)|1xbet|slots? (?:online|machines))",
    r"(?:viagra|cialis|levitra|kamagra|tramadol|xanax|ivermectin|phentermine|ozempic online)", r"(?:without|no) (?:a )?prescription",
    r"(?:sexy?|naked|nude|horny|adult|lonely|hot) (?:girls?|women|dating|video|photos?|chat|milfs?|ladies)", r"(?:onlyfans|porn|xxx|escorts?|webcam girls|sex dating|hookup)",
    r"(?:inheritance|next of kin|million (?:us )?dollars|beneficiary|atm card|compensation fund)", r"(?:you (?:have )?won|claim your (?:prize|reward|bonus|money)|lottery|congratulations!)",
    r"(?:replica|rolex|louis vuitton) (?:watches|bags|handbags|replica)", r"(?:cheap|buy|order) (?:ray ?ban|jordan|nike|essays?|cialis|pills|weed|backlinks)",
    r"copyright[^\n]{0,60}(?:image|photo|picture)s? (?:that |which )?(?:were|are|was|is)? ?(?:illegally|used without)", r"(?:evidence|proof) of (?:the |your )?(?:stolen|infring|illegal)", r"internet keyword", r"gift cards?", r"(?:chinese|asian|china) (?:domain|internet)[\w ]{0,30}(?:regist|keyword)",
    r"(?:explainer|promo(?:tional)?|animated) videos? (?:for|of) your (?:business|company|site|website|brand)", r"ai[- ](?:powered|driven|generated|based) (?:tool|software|app|system|platform|content|bots?|videos?)",
    r"(?:limited[- ]time|act now|100% (?:free|guaranteed|risk)|risk[- ]free|money[- ]back|click (?:here|the link|below))",
    # По-русски: те же, от лица того, кто продаёт
    r"(?:предлага(?:ем|ю)|оказыва(?:ем|ю)|выполн(?:им|яем)|занима(?:емся|юсь)) [\w ,\-]{0,40}?(?:продвижени|раскрутк|seo|сео|рассылк|реклам|созданием сайт|разработк\w* сайт|баз\w* (?:клиент|номер|данн)|ссыл(?:ок|ки)|лид)",
    r"(?:выведем|вывод(?:им|у)?|поднимем|продвинем|раскрутим) [\w ]{0,20}?(?:сайт|в топ|топ[- ]?\d|на первы)", r"рассыл\w* (?:по|через|в|на) (?:форм|контактн|вайбер|viber|whatsapp|ватсап|telegram|телеграм|мессенджер)",
    r"форм\w* обратной связи (?:сайт|ваш|по|всех|миллион)", r"пишите (?:в|на) (?:телеграм|telegram|whatsapp|ватсап|вотсап|вайбер)|(?:телеграм|telegram|skype|скайп)[ :\-]{1,3}@?\w{4,}", r"(?:\d+ ?(?:млн|миллион|тыс)\w* (?:сайтов|компаний|форм|адресов|email))", r"(?:прогон\w*|ссылочн\w+ масс|вечн\w+ ссыл|трастов\w+ сайт|обратн\w+ ссыл)", r"(?:увелич(?:им|ить|у|ите)|повыс(?:им|ить)|привед(?:ем|у)|пригон(?:им|ю)) [\w ]{0,25}?(?:продаж|клиент|трафик|посещаемост|конверси|заяв|позици)",
    r"(?:посмотрел\w*|изучил\w*|наш(?:ли|ел|ла)|увидел\w*|проанализировал\w*|заметил\w*) (?:на )?(?:ваш\w*|у вас на) сайт", r"(?:на вашем сайте|ваш сайт) (?:есть ошибк|имеет ошибк|обнаружен|не индексир|плохо)",
    r"(?:бесплатн\w+) (?:аудит|анализ|разбор) (?:вашего )?(?:сайт|реклам|продаж)", r"баз\w+ (?:данных )?(?:телефон|номеров|e-?mail|предприят|организац|компани|клиентов)", r"(?:казино|вулкан|азино|слот(?:ы|ов)|фриспин|букмекер|ставк\w+ на спорт|1xbet|бездепозит)",
    r"(?:заработ(?:ок|ай|ать|ка) (?:в интернете|на дому|от|без вложений|до)|пассивн\w+ доход|без вложений|инвестиц\w+ в (?:крипт|биткоин)|криптовалют\w+ (?:бирж|обмен|инвест|кошел))",
    r"(?:интим|проститут|индивидуалк|эскорт|шлюх|секс[- ]знаком|порно|горяч\w+ (?:девушк|девочк)|досуг для)", r"(?:виагр|сиалис|дженерик|купить (?:диплом|права|справк|медкнижк|аттестат)|диплом\w* (?:о высш|гознак|с занесением))",
    r"(?:займ|кредит|микрозайм)\w* (?:без отказ|онлайн на карт|без справок|под 0|с плохой)", r"обнал|(?:продам|куплю|аренда) (?:ооо|ип|счет|карт\w+ (?:сбер|тинькофф))", r"(?:накрут\w+|подписчик\w+|лайк\w+|отзыв\w+) (?:в|для|на|авито|яндекс|instagram|инстаграм|вк|telegram)",
    r"(?:отпис\w+|отказ\w+) от (?:рассыл|получени)", r"(?:наша компания|мы) (?:готов\w+ )?предлага(?:ет|ем) (?:вам|вашей|сотруднич|услуг|взаимовыгодн)", r"коммерческое предложение (?:для|от|по|на)(?: вас| вашей| нас| наш)?", r"(?:взаимовыгодн\w+|плодотворн\w+) сотруднич",
    # Deutsch, français, español, português, italiano, polski
    r"(?:wir|ich) (?:bieten?|biete) (?:ihnen )?[\w ,\-]{0,40}?(?:seo|suchmaschinen|webdesign|backlinks|leads|werbung|kredit|sichtbarkeit)", r"(?:ihre|deine) (?:webseite|website|homepage|seite) (?:gesehen|gefunden|entdeckt|besucht|analysiert|auf platz|bei google|in den top)", r"auf (?:der )?(?:ersten seite|seite 1|platz 1)",
    r"(?:nous|je) (?:vous )?(?:proposons|propose|offrons|offre) [\w ,'\-]{0,40}?(?:r[ée]f[ée]rencement|seo|visibilit|pr[êe]t|site|leads|cr[ée]dit)", r"(?:premi[èe]re page|haut) (?:de|sur|des r[ée]sultats de) google", r"pr[êe]ts? (?:entre particuliers|rapide|d'argent|d’argent)",
    r"(?:ofrecemos|ofrezco|le ofrecemos|oferecemos|ofere[çc]o|offriamo|oferujemy) [\w ,\-]{0,40}?(?:seo|posicionamiento|posicionamento|posizionamento|pozycjonowanie|enlaces|pr[ée]stamos?|empr[ée]stimos?|tr[áa]fico|leads|backlink|linki)", r"(?:primera|primeira|prima) (?:p[áa]gina|pagina) (?:de|do|di|en|no|su) google",
)  # fmt: skip

#: What is wanted and what is sold by the same words: they count only where nobody asks for it. Places among PHRASES, as below.
TOPICS: Final = frozenset(range(5))
#: How somebody wants to be reached; who sells says so, and so does who buys.
REACH_ME: Final = frozenset(at for at, phrase in enumerate(PHRASES) if "live:|t\\.me" in phrase or phrase.startswith("пишите (?:в|на)"))
#: The voice of who asks, and of who offers.
ASKS: Final = (
    r"\b(?:we|i)(?: am|'m| are|'re)? (?:need|want|looking for|searching for|interested in|would like|have to)\b|\b(?:we|i)'d like"
    r"|\b(?:can|could|would|will|do) you (?:please )?(?:get|help|make|do|bring|rank|promote|set|work|take|offer|quote|tell|run|build)\b"
    r"|\bhow (?:much|long|soon)\b|\bwhat (?:are|is|would|do) (?:be )?(?:your|the|you) (?:prices?|costs?|rates?|fees?|terms|charge)|\bplease (?:quote|call|advise)"
    r"|\b(?:for|on|to) (?:our|my) (?:\w+ ){0,2}(?:site|website|shop|store|company|business|page|blog)\b"
    r"|(?:нам|мне) (?:нужн|требу|необходим)|(?:ищем|ищу|хотим|хочу|хотели бы|хотел бы|интересует|подскажите|сколько (?:стоит|будет))|какие (?:у вас |ваши )?(?:цены|условия|сроки)"
    r"|\b(?:wir|ich) (?:brauchen?|suchen?|benötigen?|möchten?)|\b(?:nous|je) (?:cherch|voudr|souhait|avons besoin)|\b(?:necesit|busc)(?:amos|o)\b|\b(?:precis|procur)(?:amos|o)\b"
)
OFFERS: Final = (
    r"\b(?:we|i)(?: can| could| will|'ll| do| also| would like to| want to)? (?:offer|provide|help you|increase|boost|improve|rank|drive|specialize|specialise|get you|guarantee|deliver|sell|share|send you|show you|introduce)\b"
    r"|\byour (?:\w+ )?(?:site|website|web site|business|company|rankings?|traffic|visibility|competitors?|sales|customers|google|page|online presence|domain)\b"
    r"|\bour (?:services?|packages?|agency|team|offers?|clients|experts?|portfolio|price list|seo|company (?:offers|provides))\b|\binterested in (?:our|more|getting more|ranking)\b"
    r"|предлага(?:ем|ю|ет)|оказыва(?:ем|ю)|ваш(?:его|ему|ем|им|у)? (?:сайт|бизнес|компани)|выведем|продвинем|поможем|приведем|наши (?:услуги|специалист|клиент)"
    r"|\b(?:wir|ich) (?:biete)|\bihre (?:website|webseite|seite)|\b(?:nous|je) (?:vous )?(?:propos|offr)|\b(?:ofrec|oferec)(?:emos|o)\b|\bsu (?:sitio|web|negocio)|\bseu (?:site|negócio)"
)

#: The same robot in an English that nobody else writes.
BROKEN_PROBE: Final = re.compile(
    r"(?:\w+[,!]? )?(?:i|i'm|im) ?(?:am |'m )?(?:write|wrote|writes|writing|writting) about (?:your )?(?:the )?prices?(?: for (?:a )?resellers?)?"
)

#: "Hi, I wanted to know your price." — one robot asks it in every language that a translator offers. Only where it is all
#: that was written, and where people of that language are no customers of the source: language → regions where they are.
PRICE_PROBES: Final[tuple[tuple[str, frozenset[str]], ...]] = tuple(
    (sentence, frozenset(regions.split()))
    for sentence, regions in (
        ("i wanted to know your price", "US GB CA AU NZ IE ZA IN"),
        ("ego volo scire vestri pretium", ""), ("ego volo scire tuum pretium", ""), ("volui scire pretium tuum", ""),
        ("ndewo, achọrọ m ịmara ọnụahịa gị", "NG"), ("sawubona, bengifuna ukwazi intengo yakho", "ZA"),
        ("aloha, makemake wau e ʻike i kāu kumukūʻai", "US"), ("aloha, makemake wau eʻike i kāu kumukūʻai", "US"),
        ("kia ora, i hiahia ahau ki te mohio ki to utu", "NZ"), ("hæ, ég vildi vita verð þitt", "IS"),
        ("dia duit, theastaigh uaim do phraghas a fháil", "IE"), ("hi, kam dashur të di çmimin tuaj", "AL XK MK"),
        ("salam, qiymətinizi bilmək istədim", "AZ"), ("xin chào, tôi muốn biết giá của bạn", "VN"), ("hai, saya ingin tahu harga anda", "ID MY"),
        ("zdravo, htio sam znati vašu cijenu", "HR BA RS"), ("hola, volia saber el seu preu", "ES AD"), ("hola, quería saber tu precio", "ES MX AR CO CL PE EC UY PY BO VE CR PA GT HN NI SV DO PR CU US"),
        ("kaixo, zure prezioa jakin nahi nuen", "ES"), ("hallo, ek wou jou prys ken", "ZA NA"), ("hej, jeg ønskede at kende din pris", "DK"),
        ("hai, doream să știu prețul dvs", "RO MD"), ("ciao, volevo sapere il tuo prezzo", "IT CH"), ("olá, queria saber o seu preço", "PT BR"),
        ("szia, meg akartam tudni az árát", "HU"), ("sveiki, aš norėjau sužinoti jūsų kainą", "LT"), ("sveiki, es gribēju zināt savu cenu", "LV"),
        ("tere, ma tahtsin teada teie hinda", "EE"), ("hei, halusin tietää hintasi", "FI"), ("halo, i wanted to know your price", ""),
        ("γεια σου, ήθελα να μάθω την τιμή σας", "GR CY"), ("здравейте, исках да знам цената ви", "BG"), ("здраво, сакав да ја знам вашата цена", "MK"),
        ("прывітанне, я хацеў даведацца ваш прайс", "BY"), ("вітаю, я хотів дізнатися вашу ціну", "UA"), ("здраво, желео сам да знам вашу цену", "RS"),
        ("ola, quería saber o seu prezo", "ES"), ("hi, roeddwn i eisiau gwybod eich pris", "GB"), ("hallo, ik wou je prijs weten", "NL BE"),
        ("hello, na-achọrọ m ịmara ọnụahịa gị", "NG"), ("habari, nilitaka kujua bei yako", "KE TZ UG"), ("moni, ndinkafuna kudziwa mtengo wanu", "MW"),
        ("hi, i wanted to know your price", "US GB CA AU NZ IE ZA IN"), ("cześć, chciałem poznać twoją cenę", "PL"), ("merhaba, fiyatınızı öğrenmek istedim", "TR"),
    )
)  # fmt: skip

#: What robots write where a company belongs.
BRANDS: Final = frozenset({"google", "google inc", "google llc", "facebook", "amazon", "apple", "yahoo", "microsoft"})
