# ruff: noqa: E501  (prose with marks for word division)
"""What the sample documents say, for `typeset` or as finished Markdown, HTML and CSV. Our own writing."""

PAPER = """
# Tidal Backflush for Low-Pressure Membranes on Small Islands

: Ines Calder and Tomas Oyelaran, Skerrin Water Cooperative

## Abstract

Small islands that filter sea\u00adwater lose much of their elec\u00adtri\u00adci\u00adty to the pumps that clean the
mem\u00adbranes. We let the falling tide do this work. Over fourteen months at Kelda Inlet, a tidal back\u00adflush cut the
yearly loss of per\u00adme\u00ada\u00adbil\u00adi\u00adty from 31 to 12 per cent and saved 18.4 MWh of elec\u00adtri\u00adci\u00adty
a year. No che\u00admi\u00adcals were added.

## 1 Introduction

Skerrin has 4,180 in\u00adhab\u00adi\u00adtants, no rivers and one shal\u00adlow aqui\u00adfer that turned brack\u00adish in 2011.
Since then its drink\u00ading water has come from a plant at Kelda Inlet, where low-pressure ultra\u00adfil\u00adtra\u00adtion
stands before re\u00adverse os\u00admo\u00adsis. Fouling is the main cost of such plants: algae, silt and shell frag\u00adments
set\u00adtle on the fibres and must be washed off.

~ ¹ Measured at the Kelda gauge, above the lowest astronomical tide.

The usual remedy is a pump that re\u00adverses the flow every forty min\u00adutes. The pump is simple, but it is also the
second largest con\u00adsum\u00ader of elec\u00adtri\u00adci\u00adty in the plant. Kelda has a mean tidal range of 4.2 metres¹, and
a head of that size is enough to push fil\u00adtered water back through the fibres.

## 2 Method

### 2.1 The header tank

A header tank of 60 cubic metres was built be\u00adside the intake. It fills with fil\u00adtered water at high tide and
emp\u00adties through the mod\u00adules when the sea has fallen by at least 2.5 metres. A single but\u00adter\u00adfly valve,
driven by a float, opens the path. There is no motor, and the valve is the only moving part.

### 2.2 The modules

Four modules were com\u00adpared, two with tidal back\u00adflush and two with the or\u00addi\u00adnary pump. Table 1 lists them.
All four drew the same raw water from the same pipe.

^ Table 1. The membrane modules that were compared.

| Module | Cleaning | Area (m²) | Pore size (nm) |
| A1 | tidal | 52 | 20 |
| A2 | tidal | 77 | 40 |
| B1 | pump | 52 | 20 |
| B2 | pump | 77 | 40 |

### 2.3 Measurement

~ ² The sensors were calibrated by the harbour laboratory every six weeks.

Per\u00adme\u00ada\u00adbil\u00adi\u00adty was cor\u00adrect\u00aded to 20 °C and logged every ten min\u00adutes from March 2024 to April
2025. Tur\u00adbid\u00adi\u00adty of the raw water was read by an op\u00adti\u00adcal sensor². Days on which the plant was stopped
for other rea\u00adsons were left out.

## 3 Results

Figure 1 shows the per\u00adme\u00ada\u00adbil\u00adi\u00adty of modules A1 and B1. The pumped module fell steadily and had to be
cleaned with acid twice. The tidal module re\u00adcov\u00adered after each spring tide, when the head was greatest.

{chart}

^ Figure 1. Permeability of a tidal module (upper line) and of a pumped module (lower line) over fourteen months.

Table 2 gives the loss by quarter. The tidal modules lost least in winter, when storms raise the tidal range. The
dif\u00adfer\u00adence be\u00adtween the pore sizes was small.

^ Table 2. Loss of permeability by quarter, in per cent.

| Quarter | A1 | A2 | B1 | B2 |
| 2024 Q2 | 3.1 | 3.4 | 8.2 | 8.0 |
| 2024 Q3 | 4.6 | 4.9 | 9.7 | 9.9 |
| 2024 Q4 | 2.2 | 2.5 | 6.8 | 7.1 |
| 2025 Q1 | 1.9 | 2.3 | 6.1 | 6.4 |

In August 2024 a bloom of moon jelly\u00adfish blocked the intake screens, and all modules stood still for nine days.
After the restart the tidal modules reached their former per\u00adme\u00ada\u00adbil\u00adi\u00adty within three tides; the pumped
modules never did.

## 4 Discussion

The saving of 18.4 MWh is a tenth of what the plant uses in a year. At the price that the co\u00adop\u00ader\u00ada\u00adtive
pays, the header tank will have repaid its cost of 96,000 crowns in seven years. The method has one plain limit: where the
mean tidal range is below three metres, the head is too small and a pump is still needed.

Two ques\u00adtions remain open. We do not know how fibres age under the slower but longer flush, and we have not yet
tried the method with ceramic mem\u00adbranes. A trial with ceramic modules is planned for the autumn of 2026.

## 5 Conclusion

Where the tide is high enough, it can clean ultra\u00adfil\u00adtra\u00adtion mem\u00adbranes without a pump, without
che\u00admi\u00adcals and with one moving part.

## References

1. Skerrin Water Cooperative: Annual figures 2024. Kelda, 2025.
2. Harbour Laboratory: Notes on the calibration of optical turbidity sensors. Kelda, 2023.
"""

MANUAL = """
# Marrow Lane Pump Station: Operator's Manual

Revision 3, valid from 1 February 2026. This manual is for the operators of the pump station at Marrow Lane, which lifts
drinking water from the Kelda main to the upper reservoir. Keep a printed copy in the control room.

The station has three centrifugal pumps. Two of them run in turn; the third is a reserve and is started by hand. The
rated flow of each pump is 145 litres per second at a head of 38 metres.

## 1 Safety

! WARNING: Lock the isolator in the OFF position and hang your own tag on it before you open any cover. The pumps start
without notice when the reservoir calls for water.

Never work alone in the valve chamber. The chamber is a confined space: measure the oxygen before you climb down, and
leave at once if the reading falls below 19.5 per cent.

- Wear hearing protection while any pump runs; the noise in the hall reaches 94 decibels.
- Keep the floor dry. Wipe up spilled oil at once.
- The eye-wash bottle hangs beside the door and is replaced every January.

{page}

## 2 Starting and stopping

### 2.1 Starting a pump

Start a pump only when the suction gauge shows at least 1.2 bar.

1. Open the suction valve fully.
2. Close the discharge valve to one quarter.
3. Press the green button on the pump's own panel and wait for the ready lamp.
4. Open the discharge valve slowly, over about thirty seconds.
5. Enter the time and the reading of the flow meter in the log.

! WARNING: Do not start the same pump more than four times in one hour. The windings overheat, and the thermal relay
locks the motor for twenty minutes.

### 2.2 Stopping a pump

Close the discharge valve first, then press the red button. A pump that is stopped against an open valve sends a pressure
wave into the main, and old pipes on Quay Street have burst from it.

### 2.3 Loss of mains power

When the mains fail, the diesel generator starts within fifteen seconds and carries one pump. Its tank holds fuel for
eleven hours. Call the duty engineer if the outage lasts longer than two hours.

{page}

## 3 Daily checks

Go round the station every morning before nine o'clock and enter each reading in the log.

| Check | Limit | If outside the limit |
| Bearing temperature | 75 °C | Stop the pump and grease the bearing |
| Vibration | 4.5 mm/s | Stop the pump and call the duty engineer |
| Seal leakage | 20 drops a minute | Tighten the gland by one flat |
| Chlorine residual | 0.2 to 0.5 mg/l | Adjust the dosing pump |

The chlorine sample is taken at the tap behind pump 2. Let the water run for two minutes before you fill the cell.

## 4 Faults

The panel shows a fault as a letter and two digits. Write the code down before you press reset.

| Code | Meaning | What to do |
| E11 | Suction pressure too low | Check the strainer, then the level at Kelda |
| E17 | Motor too hot | Wait twenty minutes, check the fan |
| E23 | Phase missing | Call the electrician; do not reset |
| E31 | Flow meter silent | Clean the contacts of the plug |
| E42 | Reservoir level unknown | Read the level at the gauge and run by hand |

{page}

## 5 Maintenance

### 5.1 Calendar

Grease the bearings every 500 hours with lithium grease of grade 2. Change the oil of the generator every spring. The
mechanical seals are replaced after 8,000 hours of running, whether they leak or not.

The strainer in the suction line is cleaned on the first Monday of each month. Close the line, drain it, lift the basket
out with the hoist, and rinse it with clean water. Never use a wire brush, because it tears the mesh.

### 5.2 Spare parts

Spare parts are kept in the green cabinet. The key hangs in the office of the station master, Oda Linnet, who also orders
what is missing. Delivery of a new impeller takes about ten weeks, so one must always be in stock.

## 6 Whom to call

The duty engineer is reached at extension 417, day and night. The electrician on call is Per Anders Holm, extension 422.
In a fire, leave the hall, close the door and call the island brigade before anyone else.
"""

FIGURES = """
# Quarterly Figures 2025

: Skerrin Water Cooperative, finance office. Published on 20 January 2026.

All amounts are in thousand crowns unless the table says otherwise. The figures have been reviewed by the members'
auditor, Grete Solberg, and are final.

## Water delivered by district

^ Table 1. Water delivered in 2025, in thousand cubic metres.

| District | Q1 | Q2 | Q3 | Q4 | Year |
| Kelda Harbour | 61.2 | 66.8 | 79.4 | 63.0 | 270.4 |
| Marrow Lane | 38.5 | 40.1 | 44.7 | 39.2 | 162.5 |
| Upper Fold | 22.9 | 24.3 | 27.8 | 23.1 | 98.1 |
| North Farms | 17.4 | 25.6 | 33.9 | 18.2 | 95.1 |
| All districts | 140.0 | 156.8 | 185.8 | 143.5 | 626.1 |

The third quarter was the largest, as in every year, because of summer guests and because the North Farms irrigate.

## Income and costs

^ Table 2. Income and costs in 2025, in thousand crowns.

| Item | Q1 | Q2 | Q3 | Q4 |
| Water charges | 1,842 | 2,061 | 2,447 | 1,889 |
| Connection fees | 112 | 204 | 187 | 96 |
| Electricity | -418 | -436 | -502 | -447 |
| Wages | -690 | -690 | -702 | -715 |
| Repairs | -205 | -388 | -164 | -241 |
| Result | 641 | 751 | 1,266 | 582 |

Repairs were high in the second quarter because the main under Quay Street burst on 9 May and had to be replaced over a
length of 240 metres.

{page}

## Investment

^ Table 3. Investment projects, in thousand crowns.

| Project | Budget | Spent | Completed |
| Header tank at Kelda | 96 | 94 | March 2025 |
| Quay Street main | 310 | 328 | August 2025 |
| Solar roof, Marrow Lane | 150 | 141 | October 2025 |
| Meter replacement | 220 | 75 | planned for 2027 |

## Staff

^ Table 4. Employees at the end of each quarter.

| Group | Q1 | Q2 | Q3 | Q4 |
| Operators | 11 | 11 | 12 | 12 |
| Fitters | 5 | 5 | 5 | 6 |
| Office | 4 | 4 | 4 | 4 |

One operator and one fitter were hired during the year. The board expects no further hiring before 2027.
"""

DELIVERY_NOTE = """
# Delivery note 2291

: Brandt & Sons, Chemical Supply, Port Ansel

Delivered to the Skerrin Water Cooperative, Kelda Inlet, on 14 November 2025.

- 12 drums of sodium hypochlorite, 60 litres each
- 4 sacks of citric acid, 25 kilograms each
- 1 box of test strips for free chlorine

The drums must be stored below 15 °C and out of the sun. Empty drums are collected with the next delivery.

Received by: T. Oyelaran
"""

HANDBOOK = """# Volunteer Handbook: Shore Sampling

Every month some thirty volunteers take samples of sea water around Skerrin. Their results warn the plant at Kelda Inlet of
algae and of oil before either reaches the intake. This handbook tells you how to sample, and whom to ask.

## What you need

- two bottles of brown glass, 500 millilitres each, from the harbour laboratory
- a thermometer and the pole with the clamp
- rubber boots; the rocks at Gannet Point are slippery at any season
- the sampling card, filled in with a pencil, because ink runs

## Taking the sample

Sample within one hour of high tide. Rinse each bottle three times with sea water, then lower it against the current to a
depth of 30 centimetres. Fill it to the brim, so that no air is left under the lid.

Write the bottle's number, the time and the temperature of the water on the card. If you see foam, oil or dead fish, take a
photograph and telephone the laboratory at once.

## Bringing it to the laboratory

Keep the bottles in the cool box at 4 °C and bring them to the harbour laboratory within six hours. A sample that is older
is thrown away. The laboratory is open from 7:30 to 19:00 on weekdays; on Saturdays it closes at noon.

## Sampling points

| Point | Steward | Day of the month |
| --- | --- | --- |
| Gannet Point | Maud Ferrier | 3rd |
| Kelda Inlet | Jonas Vik | 10th |
| Old Slipway | Aroha Teague | 17th |
| North Sands | Emil Strand | 24th |

## Insurance

The cooperative insures volunteers from the moment they leave home until they return. Report an accident to the office
within three days. Children under fourteen may come along, but they do not handle the pole.
"""

NOTICE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Planned interruption of supply in March 2026 | Skerrin Water Cooperative</title>
<meta name="author" content="Customer office">
<meta name="date" content="2026-02-12">
</head>
<body>
<header>
<nav>
<ul>
<li><a href="/">Home</a></li>
<li><a href="/bills">Bills and payment</a></li>
<li><a href="/jobs">Jobs</a></li>
<li><a href="/contact">Contact</a></li>
</ul>
</nav>
<form action="/search"><input name="q" placeholder="Search this site"><button>Search</button></form>
</header>
<main>
<article>
<h1>Planned interruption of supply in March 2026</h1>
<p>We are going to replace the valves below Chapel Square. While the work lasts, the water has to be shut off street by
street. The pressure may be low in neighbouring streets.</p>
<h2>When and where</h2>
<p>Each street is without water on one day only. The water comes back by the time given here at the latest.</p>
<table>
<thead><tr><th>Street</th><th>Date</th><th>From</th><th>Until</th></tr></thead>
<tbody>
<tr><td>Chapel Square</td><td>Tuesday, 3 March</td><td>08:00</td><td>14:30</td></tr>
<tr><td>Rope Walk</td><td>Wednesday, 4 March</td><td>08:00</td><td>12:00</td></tr>
<tr><td>Cooper Street</td><td>Thursday, 5 March</td><td>09:00</td><td>16:00</td></tr>
</tbody>
</table>
<h2>What to do before</h2>
<p>Fill a few jugs on the evening before. Switch off the boiler, and keep all taps closed so that nothing overflows when the
supply returns. Let the cold tap run for five minutes afterwards; the water may be cloudy, but it is safe.</p>
<h2>Water from the tanker</h2>
<p>A tanker with drinking water stands at the corner of Rope Walk and Mill Lane from 07:30 to 17:00 on all three days. Please
bring your own canisters. Households with a kidney dialysis machine are supplied directly; they should register with the
customer office before 25 February.</p>
</article>
</main>
<aside>
<h3>Popular pages</h3>
<ul><li><a href="/meter">Read your own meter</a></li><li><a href="/move">Moving house</a></li></ul>
</aside>
<footer>
<p>We use cookies to remember your language. <a href="/privacy">Privacy</a></p>
<p>Skerrin Water Cooperative, 1 Harbour Row, Kelda</p>
</footer>
</body>
</html>
"""

SENSORS = """Sensor,Site,Quantity,Unit,Installed,Last calibration,Alarm above
S-101,Kelda Inlet,Turbidity,NTU,2023-05-11,2025-12-02,12
S-102,Kelda Inlet,Salinity,g/l,2023-05-11,2025-12-02,36.5
S-103,Kelda Inlet,Water temperature,°C,2021-09-30,2025-11-18,22
S-207,Marrow Lane,Discharge pressure,bar,2019-03-04,2025-10-27,5.8
S-208,Marrow Lane,Vibration of pump 1,mm/s,2024-01-15,2025-10-27,4.5
S-311,Upper reservoir,Water level,m,2018-07-22,2025-08-14,6.4
S-312,Upper reservoir,Free chlorine,mg/l,2022-02-08,2025-12-09,0.6
S-415,North Farms,Flow,l/s,2020-06-17,2025-09-03,85
"""
